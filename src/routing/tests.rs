//! Where topics go, and which of them meet.

use super::*;

fn router(template: &str, map: &[(&str, &str)], partition: Option<&str>) -> Router {
    let own = |&(topic, collection): &(&str, &str)| (topic.to_owned(), collection.to_owned());
    Router {
        collection_name: template.to_owned(),
        collections: map.iter().map(own).collect(),
        partition_name: partition.map(str::to_owned),
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn the_template_names_the_collection_and_the_map_stands_over_it() {
    let check = |template, map, topic, collection: &str| {
        let destination = router(template, map, None).destination(topic);
        assert_eq!(&*destination.collection, collection);
        assert_eq!(destination.milvus_partition, None);
        assert!(is_collection_name(collection));
    };
    check("${topic}", &[], "topic_0", "topic_0");
    check("${topic}", &[], "a.b-c", "a_b_c");
    check("${topic}", &[], "2024.orders", "_2024_orders");
    check("prod_${topic}", &[], "orders", "prod_orders");
    check("articles", &[], "topic_0", "articles");
    check("${topic}", &[("a.b", "books")], "a.b", "books");
    check("${topic}", &[("a.b", "books")], "a_b", "a_b");
}

#[test]
fn the_template_names_the_milvus_partition() {
    let check = |template, topic, partition: &str| {
        let destination = router("c", &[], Some(template)).destination(topic);
        assert_eq!(destination.milvus_partition.as_deref(), Some(partition));
        assert_eq!(
            destination.to_string(),
            format!("collection 'c', Milvus partition '{partition}'")
        );
    };
    check("${topic}", "2024.a-b", "2024_a_b");
    check("eu-1", "orders", "eu-1");
    check("eu", "orders", "eu");
    check("eu_${topic}", "orders", "eu_orders");
}

#[test]
fn a_name_that_milvus_would_not_take_is_none() {
    let longest = "a".repeat(255);
    for (name, expected) in [
        ("a", true),
        ("_1", true),
        (longest.as_str(), true),
        ("", false),
        ("1a", false),
        ("a-b", false),
        ("a.b", false),
        ("größe", false),
        (&"a".repeat(256), false),
    ] {
        assert_eq!(is_collection_name(name), expected, "{name}");
    }
}

#[test]
fn a_template_of_a_milvus_partition_has_what_milvus_takes() {
    for (template, expected) in [
        ("${topic}", true),
        ("eu-${topic}_1", true),
        ("2024-a", true),
        ("", false),
        ("-a", false),
        ("a.b", false),
        ("${table}", false),
        ("a b", false),
    ] {
        assert_eq!(is_partition_template(template), expected, "{template}");
    }
}

#[test]
fn two_topics_that_meet_in_one_name_by_replacement_are_an_error() {
    let check = |router: Router, topics: &[&str], expected: Option<&str>| {
        let found = router.routes(&names(topics)).err();
        let found = found.map(|meeting| meeting.to_string());
        let begins = |text: &str| expected.is_some_and(|expected| text.starts_with(expected));
        let fits = found.as_deref().map_or(expected.is_none(), begins);
        assert!(fits, "{topics:?}: expected {expected:?}, found {found:?}");
    };
    let sentence = "collection.name: topics 'a-b' and 'a.b' would both be written to collection 'a_b', because";
    check(
        router("${topic}", &[], None),
        &["a.b", "a-b"],
        Some(sentence),
    );
    check(router("both", &[], None), &["a.b", "a-b"], None);
    check(
        router("${topic}", &[("a.b", "x")], None),
        &["a.b", "a-b"],
        None,
    );
    // On purpose.
    check(router("${topic}", &[("a", "b")], None), &["a", "b"], None);
    check(
        router("${topic}", &[("a.b", "a_b")], None),
        &["a.b", "a_b"],
        None,
    );
    let sentence = "partition.name: topics 'a.b' and 'a_b' would both be written to collection 'c', Milvus partition 'a_b'";
    check(
        router("c", &[], Some("${topic}")),
        &["a.b", "a_b"],
        Some(sentence),
    );
    check(router("c", &[], Some("p")), &["a.b", "a_b"], None);
    // Whose mistake it is is said of the collection first.
    check(
        router("${topic}", &[], Some("${topic}")),
        &["a.b", "a-b"],
        Some("collection.name"),
    );
}

#[test]
fn a_newcomer_does_not_stop_the_topic_it_meets_and_of_newcomers_that_meet_none_is_read() {
    let check = |found: &[&str], read: &[&str], topics: &[&str], left_out: &[&str]| {
        let found = found.iter().map(|&name| name.to_owned()).collect();
        let choice = router("${topic}", &[], None).choose(&found, &names(read));
        assert_eq!(choice.topics, names(topics), "{found:?}, reading {read:?}");
        let meeting: Vec<_> = choice.meetings.iter().map(|(topic, _)| topic).collect();
        assert_eq!(meeting, left_out, "{found:?}, reading {read:?}");
    };
    check(&["a", "b"], &[], &["a", "b"], &[]);
    check(&["a.b", "a-b", "c"], &["a.b"], &["a.b", "c"], &["a-b"]);
    check(&["a.b", "a-b", "c"], &["a-b", "c"], &["a-b", "c"], &["a.b"]);
    check(&["a.b", "a-b", "c"], &[], &["c"], &["a-b", "a.b"]);
    check(&["a.b", "a-b", "a_b"], &["a.b"], &["a.b"], &["a-b", "a_b"]);
    check(&["a-b"], &["a.b"], &["a-b"], &[]);
}

#[test]
fn whether_there_can_be_another_collection_is_known_from_the_start() {
    let check = |router: Router, topics: Topics, expected| {
        assert_eq!(
            router.is_only_collection("c", &topics),
            expected,
            "{router:?}"
        );
    };
    let listed = |list: &[&str]| Topics::Listed(names(list));
    let matching = || Topics::Matching(Pattern::new(".*").unwrap());
    check(router("${topic}", &[], None), listed(&["c"]), true);
    check(router("${topic}", &[], None), listed(&["c", "d"]), false);
    check(router("c", &[], None), listed(&["a", "b"]), true);
    check(
        router("${topic}", &[("d", "c")], None),
        listed(&["c", "d"]),
        true,
    );
    check(router("c", &[], None), matching(), true);
    check(router("c", &[("a", "c")], None), matching(), true);
    check(router("c", &[("a", "x")], None), matching(), false);
    check(router("${topic}", &[], None), matching(), false);
}
