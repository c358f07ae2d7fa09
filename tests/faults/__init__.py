"""
Hurt whole processes, one broker and three, and find nothing lost and nothing twice.

Each trap of aiokafka 0.14 and of Kafka 4.3 that is known to us, and the test that
provokes it (``kafka/`` is ``tests/kafka/``, all else stands here).

Rebalances
    the listener runs while no heartbeat does, and owns nothing yet
        test_one_broker_times: a restore longer than the session
    the listener raises, which aiokafka only logs
        test_one_broker_consumer: a listener that raises
    records are handed out before their partition is restored, or after it is given up
        test_one_broker_processes: workers come and go (1, 3, 2, 1)
    a partition that was paused changes hands
        test_one_broker_consumer: back-pressure survives a hand-over
    a frozen member wakes and still shows its old assignment
        test_one_broker_processes: a frozen worker is a zombie
    SIGTERM calls no listener
        test_one_broker_processes: workers come and go; test_kept_state
Consumer
    an unexpected error makes every poll raise, and no heartbeat follows
        test_one_broker_consumer: a consumer whose polls fail
    out of range, or no offset at all
        test_one_broker_consumer: events that fell out of their topic
    a topic that is gone makes an empty assignment, without a word
        test_one_broker_topics: the topic of events is deleted
    a metadata request creates topics
        test_one_broker_topics: a ledger that a broker made again;
        kafka/test_topics: no look creates a topic;
        kafka/test_partition: a topic that is gone is named and not made
Restore
    the log ends in markers; one partition, one reader
        kafka/test_restore: aborted transactions and closing markers
    the end is taken after the fence
        kafka/test_partition: fencing aborts what the first had open
    a full buffer never lets the event loop breathe
        kafka/test_restore: a restore yields to the event loop
    markers that a broker has lost hide records
        kafka/test_partition_outages: a transaction that no broker ends
Transactions
    one commits although a record in it failed
        kafka/test_partition: a record that the broker refuses commits nothing
    no group metadata: the transactional id is the fence
        kafka/test_partition: the second owner fences the first, a zombie cannot end
    a record is too large for its topic
        test_one_broker_topics: a record that a topic no longer takes;
        kafka/test_partition: a record too large commits nothing
    a commit never returns
        test_one_broker_times: a transaction that never ends
    the broker aborts it for its age
        test_one_broker_times: a transaction that the broker gave up;
        kafka/test_partition: a transaction past its time is over
    the process ends anywhere within
        kafka/test_crash_points
    with the broker gone abort and stop block, and a stopped sender lives on
        kafka/test_partition_outages: a commit without a broker;
        kafka/test_partition: discarded logs leave nothing behind
    a fatal error before the first begin raises AttributeError
        secured/test_secured_missing: a right that is missing, on both sides
Ingress's producer
    it never times out, and keeps what it could not send
        kafka/test_producer_outages; test_ingress_outage
    one failed record leaves a gap that breaks its partition for good
        kafka/test_producer: a refused record, a gap in the sequence;
        test_one_broker_topics: an event that its topic no longer takes
    where a topic is gone it asks for it a thousand times a second
        test_one_broker_topics: the topic of events is deleted
    it is idle when the broker goes
        kafka/test_producer_outages: an idle producer notices the outage
Brokers
    killed, frozen, without a coordinator, cut off from one process, leaders that move
        test_three_brokers, test_three_links; kafka/test_crash_points
    they refuse us, and every client says only that it cannot connect
        secured/test_secured_connections
    away at the start
        test_one_broker_processes: Kafka away at the start and later
Clocks
    workers an hour ahead and an hour behind
        test_one_broker_times: clocks an hour off

Not provoked, because nothing of it is used: offsets in a transaction, static members,
a second assignor, a cancelled getmany on a consumer that lives on.
"""
