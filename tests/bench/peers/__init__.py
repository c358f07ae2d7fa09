"""Do the ingress's job as others would."""
