//! The pages for users: commands are typed as they stand there, on real servers; every other block is read by whoever
//! reads such text.

mod block;
mod session;

use std::collections::BTreeSet;
use std::fs;

use testkit::milvus_server::ROOT_TOKEN;
use testkit::{services, suite};

use block::blocks;
use session::{Servers, type_in};

/// Pages with commands that are typed, each by a test below.
const TYPED: [&str; 4] = [
    "README.md",
    "docs/dead-letters.md",
    "docs/getting-started.md",
    "docs/replay.md",
];

/// The text of a page.
fn page(path: &str) -> String {
    fs::read_to_string(services::repository().join(path)).unwrap()
}

fn milvus() -> Servers {
    Servers {
        kafka: suite::kafka().bootstrap(),
        endpoint: suite::milvus().endpoint(),
        token: ROOT_TOKEN,
    }
}

fn lite() -> Servers {
    Servers {
        kafka: suite::kafka().bootstrap(),
        endpoint: suite::lite().endpoint(),
        token: "",
    }
}

#[test]
fn the_readme_does_what_it_says() {
    type_in("README.md", &milvus());
}

#[test]
fn the_first_steps_do_what_they_say() {
    type_in("docs/getting-started.md", &lite());
}

#[test]
fn dead_letters_come_back_as_the_page_says() {
    type_in("docs/dead-letters.md", &lite());
}

#[test]
fn a_collection_is_made_anew_and_takes_over_as_the_page_says() {
    type_in("docs/replay.md", &milvus());
}

#[test]
fn every_block_of_every_page_is_what_it_says_it_is() {
    let docs = fs::read_dir(services::repository().join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages = docs.filter(|name| name.ends_with(".md"));
    let pages = pages.map(|name| format!("docs/{name}"));
    let mut faults = Vec::new();
    let mut typed = BTreeSet::new();
    for path in pages.chain(["README.md".to_owned()]) {
        for block in blocks(&page(&path)) {
            if block.kind == "sh" {
                typed.insert(path.clone());
            }
            let fault = block.check().err();
            faults.extend(fault.map(|fault| format!("{path}:{}: {fault}", block.line)));
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    assert!(typed.iter().eq(TYPED.iter()), "{typed:?} are typed");
}

/// Versions of servers as their recipe names them: `milvus==2.3.5`.
#[test]
fn the_versions_that_are_said_to_be_run_are_the_ones_that_are_fetched() {
    let recipe = page("tools/services.sh") + &page("tools/kafka/pom.xml");
    let said = page("docs/compatibility.md");
    let versions: Vec<&str> = [" milvus==", " milvus-lite==", "<kafka.version>"]
        .iter()
        .flat_map(|name| recipe.split(name).skip(1))
        .filter_map(|rest| rest.split(|c: char| c != '.' && !c.is_ascii_digit()).next())
        .collect();
    assert_eq!(versions.len(), 4, "{versions:?}");
    for version in versions {
        assert!(said.contains(version), "{version} is not in the page");
    }
}
