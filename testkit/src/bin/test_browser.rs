//! `make test-browser`: the status page of a live sink in headless Chromium: what flows, a hold, a bad record and the halt
//! that it brings; in light and dark, on a phone and a desk. Takes the pictures of docs/operations.md.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a tool that prints, and ends where it cannot go on"
)]

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::json;
use testkit::browser::{Browser, Scheme};
use testkit::client::Collection;
use testkit::fake::{Fake, Options};
use testkit::kafka::{Record, Topic};
use testkit::proxy::{FaultProxy, Network};
use testkit::sink::Sink;
use testkit::{services, suite, wait};

const SOON: Duration = Duration::from_secs(60);
const TOKEN: &str = "root:larch17";
/// In the bad record, and nowhere on the page.
const MARKER: &str = "sesame-4712";
/// Of the three of the topic; the others go on.
const BAD_PARTITION: i32 = 2;
/// Enough of a line for a picture.
const SAMPLES: u64 = 25;

/// The documents have a picture of each, by a user who likes it so.
const SCREENS: [(&str, u32, Scheme); 2] =
    [("desk", 1280, Scheme::Light), ("phone", 390, Scheme::Dark)];

fn main() {
    let stage = Stage::set();
    let sink = stage.start();
    let (stop, stopped) = mpsc::channel();
    let topic = stage.topic.clone();
    let producing = thread::spawn(move || produce(&topic, &stopped));
    let mut browser = Browser::start();
    browser.show_as(1280, Scheme::Light);
    browser.go_to(&format!("http://127.0.0.1:{}/", sink.ops_port()));

    shows_what_flows(&mut browser, &stage);
    shows_a_hold_while_it_lasts(&mut browser, &stage);
    shows_a_bad_record_and_its_halt(&mut browser, &stage);
    fits_every_screen(&mut browser);
    assert_eq!(browser.complaints(), [""; 0]);
    stop.send(()).expect("the producer runs");
    producing.join().expect("the producer ends well");
    println!("the status page is as it should be; its pictures are docs/status-page-*.png");
}

struct Stage {
    topic: Topic,
    collection: String,
    fake: Fake,
    proxy: FaultProxy,
}

impl Stage {
    fn set() -> Self {
        let fake = Fake::start_with(Options {
            token: Some(TOKEN.to_owned()),
            ..Options::default()
        });
        let collection = services::unique_collection("articles");
        let made = Collection::new(&collection).int64_key("id");
        let made = made.varchar("title", 512).float_vector("title_vector", 8);
        fake.create(made.schema());
        Self {
            topic: suite::kafka().topic("articles", 3),
            collection,
            proxy: FaultProxy::before(fake.port()),
            fake,
        }
    }

    fn start(&self) -> Sink {
        // Built beside this one.
        let here = std::env::current_exe().expect("a path");
        let binary = here.with_file_name("kafka-milvus-sink");
        let command = Sink::new(binary).env("MILVUS_SINK_TOKEN", TOKEN);
        let (topic, collection) = (self.topic.name(), &self.collection);
        command
            .config(&format!(
                "name=articles\nbootstrap.servers={}\ntopics={topic}\npublic.endpoint={}\ncollection.name={collection}\nmilvus.retry.backoff.max.ms=500\n",
                self.topic.bootstrap(),
                self.proxy.endpoint(),
            ))
            .start()
    }
}

/// A few hundred records a second, now more and now less.
fn produce(topic: &Topic, stopped: &Receiver<()>) {
    let row = |id: i64| {
        let partition = i32::try_from(id % 3).unwrap();
        Record::json(&json!({
            "id": id,
            "title": format!("Article {id}"),
            "title_vector": [0.125, -0.5, 0.25, 1.0, 0.0, 2.0, -3.5, 0.75],
        }))
        .partition(partition)
    };
    let mut next = 0;
    for turn in 0_i64.. {
        let records = 60 + 40 * (turn / 8 % 3);
        topic.produce((next..next + records).map(row));
        next += records;
        let pause = stopped.recv_timeout(Duration::from_millis(250));
        if pause != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

/// A number as the page writes it, as far as this test has to read it.
fn number(text: &str) -> f64 {
    text.replace(',', "").parse().unwrap_or(0.0)
}

#[track_caller]
fn await_text(browser: &mut Browser, selector: &str, wanted: &str) {
    wait::until(SOON, format_args!("{wanted:?} in {selector}"), || {
        browser.text(selector).contains(wanted)
    });
}

fn shows_what_flows(browser: &mut Browser, stage: &Stage) {
    await_text(browser, "#state", "ready");
    await_text(browser, "#trouble", "Nothing is in the way.");
    for id in ["#rate-in", "#rate-out"] {
        wait::until(SOON, format_args!("a rate, {id}"), || {
            number(&browser.text(id)) > 10.0
        });
    }
    let read = "#partitions tbody tr td:nth-child(5)";
    let before = number(&browser.text(read));
    wait::until(SOON, "offsets that rise", || {
        number(&browser.text(read)) > before
    });
    for (selector, wanted) in [
        ("#kafka", stage.topic.bootstrap()),
        ("#milvus", stage.proxy.endpoint().as_str()),
        ("#flows", stage.topic.name()),
        ("#flows", stage.collection.as_str()),
        ("#plans", "title_vector"),
        ("#bad", "None since the start"),
    ] {
        await_text(browser, selector, wanted);
    }
    let hidden = "document.querySelector('#configuration').textContent";
    let configuration = browser.evaluate(hidden).to_string();
    assert!(configuration.contains("****") && !configuration.contains(TOKEN));
    for chart in ["rates", "lag", "size", "time"] {
        let points = format!(
            "document.querySelector('#chart-{chart} polyline').getAttribute('points').split(' ').length"
        );
        wait::until(2 * SOON, format_args!("a line of {chart}"), || {
            browser.evaluate(&points).as_u64() >= Some(SAMPLES)
        });
        let label = format!("document.querySelector('#chart-{chart}').getAttribute('aria-label')");
        let label = browser.evaluate(&label).to_string();
        assert!(
            label.contains("Now: ") && label.contains("Highest: "),
            "{label}"
        );
    }
}

fn shows_a_hold_while_it_lasts(browser: &mut Browser, stage: &Stage) {
    stage.proxy.set(Network::Refuses);
    await_text(browser, "#state", "held: milvus_unreachable");
    for wanted in [
        "Held: collection",
        &stage.collection,
        "check public.endpoint",
    ] {
        await_text(browser, "#trouble", wanted);
    }
    let title = browser.evaluate("document.title");
    assert_eq!(title, "held: articles");
    stage.proxy.set(Network::Works);
    await_text(browser, "#state", "ready");
    await_text(browser, "#trouble", "Nothing is in the way.");
}

fn shows_a_bad_record_and_its_halt(browser: &mut Browser, stage: &Stage) {
    let bad = json!({"id": MARKER, "title": MARKER, "title_vector": [1, 2]});
    let name = format!("{}-{BAD_PARTITION}", stage.topic.name());
    stage
        .topic
        .produce([Record::json(&bad).partition(BAD_PARTITION)]);
    await_text(browser, "#state", "halted: bad_record");
    await_text(browser, "#trouble", &format!("Halted: {name}"));
    // With the largest lag it is the first, once its lag is seen.
    let first = "#partitions tbody tr:first-child";
    await_text(browser, first, &name);
    await_text(browser, first, "halted");
    let lag = format!("{first} td:nth-child(3)");
    wait::until(SOON, "a lag that grows", || {
        number(&browser.text(&lag)) > 0.0
    });
    let place = format!("{name}@");
    for wanted in [place.as_str(), "field 'id' wants an Int64", "halted"] {
        await_text(browser, "#bad tbody", wanted);
    }
    let page = browser.evaluate("document.documentElement.textContent");
    assert!(!page.to_string().contains(MARKER), "a value is shown");
    // The others go on.
    assert!(number(&browser.text("#rate-out")) > 0.0);
    assert!(!stage.fake.rows(&stage.collection).is_empty());
}

fn fits_every_screen(browser: &mut Browser) {
    for (screen, width, liked) in SCREENS {
        for scheme in [Scheme::Light, Scheme::Dark] {
            browser.show_as(width, scheme);
            let wide = browser.evaluate("document.documentElement.scrollWidth");
            assert_eq!(wide, width, "nothing lies beside a screen of {width}");
            if scheme == liked {
                let picture = format!("docs/status-page-{screen}-{}.png", scheme.name());
                browser.take_picture(&services::repository().join(picture));
            }
        }
    }
}
