//! What comes out of a configuration without mistakes.

use super::*;

#[test]
fn the_least_configuration_has_the_documented_defaults() {
    let config = load_texts(
        &[],
        &[],
        &[
            ("name", "n"),
            ("topics", "t"),
            ("public.endpoint", "localhost:19530"),
        ],
    )
    .unwrap();
    assert_eq!(config.kafka.bootstrap_servers, "localhost:9092");
    assert_eq!(config.kafka.auto_offset_reset, OffsetReset::Earliest);
    assert_eq!(config.kafka.session_timeout, Duration::from_secs(45));
    assert_eq!(config.kafka.max_poll_interval, Duration::from_secs(300));
    assert_eq!(config.kafka.topic_refresh, Some(Duration::from_secs(30)));
    assert_eq!(config.router.collection_name, "${topic}");
    assert_eq!(config.router.partition_name, None);
    assert_eq!(config.milvus.database, "default");
    assert_eq!(config.milvus.request_timeout, Duration::from_secs(20));
    assert_eq!(config.refused_max_consecutive, 100);
    assert_eq!(config.batch_max_rows, 10_000);
    assert_eq!(config.max_in_flight, 3);
    assert_eq!(config.batch_max_bytes, 2 << 20);
    assert_eq!(config.buffer_max_bytes, 64 << 20);
    assert_eq!(config.linger, Duration::from_millis(100));
    assert_eq!(config.commit_interval, Duration::from_secs(1));
    assert_eq!(config.shutdown_timeout, Duration::from_secs(25));
    assert_eq!(config.watchdog_timeout, Duration::from_secs(300));
    assert_eq!(config.ops_listen, Some(([127, 0, 0, 1], 9464).into()));
    assert_eq!(config.ops_partitions_max, 1000);
    assert_eq!(
        (config.insert_mode, config.tolerance),
        (InsertMode::Auto, Tolerance::None)
    );
    assert_eq!(config.unknown_fields, UnknownFields::Ignore);
    assert_eq!(config.recreated, OnRecreated::Fail);
    assert_eq!(config.data_loss, OnDataLoss::Fail);
    assert_eq!(
        (config.log.level, config.log.json),
        (tracing::Level::INFO, false)
    );
    assert!(matches!(config.milvus.token, Token::None));
    assert_eq!(
        config.tasks_max,
        std::thread::available_parallelism().unwrap().get()
    );
    assert_eq!(config.notices, []);
}

#[test]
fn values_are_trimmed_and_enumerations_take_any_case() {
    let config = load_more(
        "insert.mode = UPSERT \nerrors.tolerance=All\nlog.format=JSON\nlog.level=Debug\nops.listen=None\n\
         topics = a , b,,a\ntasks.max=3\nbehavior.on.unknown.fields=FAIL\n\
         behavior.on.collection.recreated=Continue\nbehavior.on.data.loss=CONTINUE\nallow.insecure=TRUE\ntoken=  k  \n",
    )
    .unwrap();
    assert_eq!(config.insert_mode, InsertMode::Upsert);
    assert_eq!(config.tolerance, Tolerance::All);
    assert_eq!(config.unknown_fields, UnknownFields::Fail);
    assert_eq!(config.recreated, OnRecreated::Continue);
    assert_eq!(config.data_loss, OnDataLoss::Continue);
    assert_eq!(
        (config.log.level, config.log.json),
        (tracing::Level::DEBUG, true)
    );
    assert_eq!(config.ops_listen, None);
    assert!(matches!(&config.topics, Topics::Listed(topics) if topics == &["a", "b"]));
    assert_eq!(config.tasks_max, 3);
    assert!(matches!(&config.milvus.token, Token::Inline(token) if token.expose() == "k"));
}

#[test]
fn what_is_read_and_where_it_goes() {
    let config = load_more(
        "topics=\ntopics.regex=eu\\\\-.*\ncollection.name=all\npartition.name=${topic}\n\
         topic2collection.map= eu-a : first ,, eu-b:second\nconsumer.metadata.max.age.ms=7000\n",
    )
    .unwrap();
    let Topics::Matching(pattern) = &config.topics else {
        panic!("{:?}", config.topics);
    };
    assert!(pattern.matches("eu-c") && !pattern.matches("us-c"));
    for (topic, destination) in [
        ("eu-a", "collection 'first', Milvus partition 'eu_a'"),
        ("eu-b", "collection 'second', Milvus partition 'eu_b'"),
        ("eu-c", "collection 'all', Milvus partition 'eu_c'"),
    ] {
        let found = config.router.destination(topic).to_string();
        assert_eq!(found, destination);
    }
    assert_eq!(config.kafka.topic_refresh, Some(Duration::from_secs(7)));
}

#[test]
fn the_effective_configuration_shows_origins_and_no_secret() {
    let config = load_texts(
        &[&format!("{LEAST}token=geheim\nlinger.ms=5\nconsumer.client.rack=r\nconsumer.sasl.password=geheim")],
        &[("MILVUS_SINK_LOG_LEVEL", "warn")],
        &[("batch.max.rows", "7")],
    )
    .unwrap();
    let check = |key: &str, value: &str, origin: &str| {
        let row = config.effective.iter().find(|row| row.key == key).unwrap();
        assert_eq!(
            (row.value.as_str(), row.origin.as_str()),
            (value, origin),
            "{key}"
        );
    };
    check("token", "****", "1:4");
    check("linger.ms", "5", "1:5");
    check("log.level", "warn", "MILVUS_SINK_LOG_LEVEL");
    check("batch.max.rows", "7", "--set");
    check("database.name", "default", "default");
    check("token.file", "", "default");
    check(
        "consumer.*",
        "consumer.client.rack=r consumer.sasl.password=****",
        "1:6 1:7",
    );
    assert_eq!(config.effective.len(), keys::KEYS.len());
    for key in ["linger.ms", "consumer.client.rack"] {
        assert!(config.is_given(key), "{key}");
    }
    for key in ["database.name", "late.landing.grace.ms", "consumer.client"] {
        assert!(!config.is_given(key), "{key}");
    }
    assert!(!format!("{config:?}").contains("geheim"));
}

#[test]
fn the_connector_file_wins_over_worker_files_whatever_their_order() {
    let connector =
        "connector.class=MilvusSink\nname=c\ntopics=t\npublic.endpoint=http://localhost\n";
    let worker = "name=w\nconsumer.fetch.min.bytes=1\nlinger.ms=1\nbootstrap.servers=a:1\n";
    let later = "linger.ms=2\n";
    for order in [
        [connector, worker, later],
        [worker, connector, later],
        [worker, later, connector],
    ] {
        let config = load_texts(&order, &[], &[]).unwrap();
        assert_eq!(config.name, "c");
        assert_eq!(config.linger, Duration::from_millis(2));
    }
}

#[test]
fn references_are_replaced_by_the_environment() {
    let config = load_texts(
        &[&format!(
            "{LEAST}token=${{env:USER}}:${{env:SECRET}}\ndatabase.name=x${{env:USER}}y"
        )],
        &[("USER", "u"), ("SECRET", "s")],
        &[],
    )
    .unwrap();
    assert!(matches!(&config.milvus.token, Token::Inline(token) if token.expose() == "u:s"));
    assert_eq!(config.milvus.database, "xuy");
}

#[test]
fn late_requests_are_given_their_time_out_or_what_is_said_but_no_more_than_a_rebalance_has() {
    let check = |more: &str, millis| {
        let grace = load_more(more).unwrap().late_landing_grace;
        assert_eq!(grace, Duration::from_millis(millis), "{more}");
    };
    check("", 20_000);
    check("milvus.request.timeout.ms=5000", 5_000);
    check("consumer.max.poll.interval.ms=45000", 15_000);
    check("late.landing.grace.ms=0", 0);
    check("late.landing.grace.ms=60000", 60_000);
    check("late.landing.grace.ms=100000", 100_000);
}
