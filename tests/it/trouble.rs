//! The world in the way: what is said, what `/readyz` answers, and that the sink goes on by itself once it is mended.

use std::net::TcpListener;
use std::time::Duration;

use testkit::client::Collection;
use testkit::fake::{Code, Fake, Reply};
use testkit::kafka::{Answer, Listener, MockBroker, Record};
use testkit::proxy::{FaultProxy, Network};
use testkit::sink::Sink;
use testkit::{services, suite, wait};

use crate::support::{Job, SOON, article, articles, assert_held, assert_refused};

#[test]
fn milvus_that_does_not_listen_is_waited_for() {
    let job = Job::on_lite("milvus_away", 1);
    let proxy = FaultProxy::before(suite::lite().port());
    proxy.set(Network::Refuses);
    let endpoint = proxy.endpoint();
    let sink = job.sink().set("public.endpoint", &endpoint).start();
    let sentence = format!("Milvus at {endpoint} cannot be reached (");
    assert_held(
        &sink,
        "milvus_unreachable",
        &[
            &sentence,
            "refused",
            "check public.endpoint (https or http, host, port) and that Milvus is up",
        ],
    );
    proxy.set(Network::Works);
    job.assert_goes_on(&sink);
}

#[test]
fn a_wrong_token_or_none_ends_with_2() {
    let job = Job::new("wrong_token", 1);
    let words = [
        "Milvus refused the credentials",
        "check 'token' (user:password, or an API key)",
    ];
    for token in ["root:not-the-password", "an-unknown-api-key"] {
        assert_refused(job.sink().env("MILVUS_SINK_TOKEN", token), &words);
    }
    // The documentation's placeholder: no token is sent.
    let placeholder = job.sink().env("MILVUS_SINK_TOKEN", "***");
    assert_refused(placeholder, &[words[0], words[1], "placeholder"]);
    assert_eq!(job.topic.committed(&job.group()), [None]);
}

#[test]
fn a_missing_collection_is_waited_for() {
    let milvus = suite::milvus();
    let (endpoint, token) = (milvus.endpoint(), milvus.token());
    let job = Job::with(suite::kafka(), "missing_collection", 1, endpoint, token);
    let sink = job.start();
    let sentence = format!(
        "collection '{}' does not exist in database 'default'; create it, or correct collection.name and database.name",
        job.collection
    );
    assert_held(&sink, "collection_missing", &[&sentence]);
    job.create(&articles(&job.collection));
    job.assert_goes_on(&sink);
}

#[test]
fn a_missing_topic_is_waited_for() {
    let mut job = Job::on_lite("missing_topic", 1);
    let name = services::unique("created_later");
    let sink = job.sink().set("topics", &name).start();
    let sentence = format!("topic '{name}' does not exist; create it, or correct 'topics'");
    assert_held(&sink, "topic_missing", &[&sentence]);
    job.topic = suite::kafka().topic_named(&name, 1, &[]);
    job.assert_goes_on(&sink);
}

/// No fetch tells a member of it that has no partition.
#[test]
fn a_spare_replica_says_as_well_that_its_topic_is_gone() {
    let job = Job::on_lite("deleted_topic", 1);
    let sinks = [job.start(), job.start()];
    for sink in &sinks {
        sink.await_readyz(200, SOON);
    }
    let assigned = |sink: &Sink| sink.metric("milvus_sink_assigned_partitions");
    wait::until(SOON, "one of them with the partition", || {
        sinks.iter().map(assigned).sum::<i64>() == 1
    });
    job.topic.delete();
    for sink in &sinks {
        assert_held(sink, "topic_missing", &[job.topic.name()]);
    }
}

#[test]
fn a_topic_that_comes_after_the_others_is_joined_soon() {
    let job = Job::on_lite("late_topic", 1);
    let name = services::unique("created_later");
    let topics = format!("{},{name}", job.topic.name());
    let sink = job.sink().set("topics", &topics).start();
    job.topic.produce_json(&article(1));
    job.milvus.await_count(&job.collection, 1, SOON);
    assert_held(&sink, "topic_missing", &[&name]);
    let topic = suite::kafka().topic_named(&name, 1, &[]);
    topic.produce([Record::json(&article(2))]);
    // librdkafka by itself looks for it every half minute.
    let soon = Duration::from_secs(12);
    job.milvus.await_count(&job.collection, 2, soon);
    sink.await_readyz(200, SOON);
}

/// Whatever else Kafka answers meanwhile.
#[test]
fn a_topic_that_may_not_be_read_any_more_is_said_until_it_may() {
    let (fake, kafka) = (Fake::start(), MockBroker::start());
    let job = Job::between(kafka.topic("refused", 1), "refused", fake.endpoint(), None);
    fake.create(articles(&job.collection).schema());
    let sink = job.quick().start();
    job.topic.produce_json(&article(1));
    job.await_committed();
    kafka.answer_fetches(&[Answer::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 100_000]);
    assert_held(&sink, "kafka_not_permitted", &["read the topic"]);
    // It asks for other things every 3 s.
    wait::throughout(Duration::from_secs(7), "a hold", || {
        sink.find_line("goes on").is_none()
    });
    kafka.heal_fetches();
    // Nothing new comes that would show it.
    let over = sink.wait_for_line("goes on", SOON);
    assert!(over.contains("kafka_not_permitted"), "{over}");
    job.topic.produce_json(&article(2));
    job.await_committed();
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn a_broker_that_does_not_listen_is_waited_for() {
    let job = Job::on_lite("kafka_away", 1);
    let port = suite::kafka()
        .bootstrap()
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let proxy = FaultProxy::before(port);
    proxy.set(Network::Refuses);
    let servers = format!("127.0.0.1:{}", proxy.port());
    let sink = job.sink().set("bootstrap.servers", &servers).start();
    let sentence = format!("Kafka at {servers} cannot be reached (");
    assert_held(
        &sink,
        "kafka_unreachable",
        &[&sentence, "refused", "check bootstrap.servers, the network"],
    );
    proxy.set(Network::Works);
    job.assert_goes_on(&sink);
}

#[test]
fn tls_to_a_plain_listener_and_the_reverse_are_said() {
    let job = Job::on_lite("tls_mismatch", 1);
    let kafka = suite::kafka();
    let check = |protocol, listener, words: &[&str]| {
        let servers = kafka.bootstrap_of(listener);
        let sink = job
            .sink()
            .set("bootstrap.servers", &servers)
            .set("security.protocol", protocol)
            .set("ssl.ca.location", &kafka.ca().path().to_string_lossy())
            .start();
        assert_held(&sink, "kafka_unreachable", words);
    };
    // librdkafka's hint at a plaintext listener does not come every time; our sentence does.
    let ours = "whether the listener wants TLS (security.protocol)";
    check("SSL", Listener::Plain, &["SSL", ours]);
    check(
        "PLAINTEXT",
        Listener::Tls,
        &[
            "connection closed by peer",
            "whether the listener wants TLS",
        ],
    );
}

#[test]
fn a_plan_that_cannot_be_made_ends_with_2_and_names_the_field() {
    let endpoint = suite::lite().endpoint();
    let job = Job::with(suite::kafka(), "no_plan", 1, endpoint, None);
    let collection = Collection::new(&job.collection)
        .int64_key("number")
        .auto_id()
        .float_vector("vector", 2);
    job.create(&collection);
    assert_refused(
        job.sink().set("insert.mode", "upsert"),
        &[&job.collection, "'number' (autoID)", "insert.mode"],
    );
}

#[test]
fn an_ops_address_in_use_ends_with_2() {
    let job = Job::on_lite("ops_in_use", 1);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let sink = job.sink().set("ops.listen", &address);
    assert_refused(sink, &["ops.listen", &address, "in use"]);
}

#[test]
fn a_login_that_is_refused_after_it_was_accepted_is_waited_for() {
    let fake = Fake::start();
    let refused = || Reply::Grpc(Code::Unauthenticated);
    let missing = Reply::Code(100, "collection not found");
    fake.next_describes([missing, refused(), refused()]);
    let job = Job::with(suite::kafka(), "login_later", 1, fake.endpoint(), None);
    let sink = job.start();
    sink.wait_for_line("Milvus refused the credentials", SOON);
    wait::until(SOON, "another question", || fake.seen().len() > 4);
    assert!(sink.runs(), "{}", sink.output());
}
