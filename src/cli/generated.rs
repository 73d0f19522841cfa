//! Shell completions and man pages: files for packages, made from the same options that are parsed.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Arg, Command, CommandFactory, ValueHint};
use clap_complete::{Shell, generate_to};

use super::words::Word;
use super::{Args, NAME};

const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

/// Makes `folder`, where it is missing, and everything in it.
///
/// # Errors
/// The folder or a file cannot be written.
pub fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for shell in SHELLS {
        generate_to(shell, &mut described(), NAME, folder)?;
    }
    clap_mangen::generate_to(described(), folder)
}

/// The command line as shells and manuals know it: each command with the options that belong to it. What is parsed is
/// flat, so that options and files may come in any order.
fn described() -> Command {
    let flat = Args::command();
    let with = |command: Command, word: Word| {
        let options = flat.get_arguments().filter(|arg| !arg.is_positional());
        let options = options.filter(|arg| word.takes(arg.get_id().as_str()));
        let options = options.map(|option| {
            let help = option.get_help().map(ToString::to_string);
            let help = said_to(word, &help.unwrap_or_default());
            option.clone().help(help)
        });
        command.args(options).arg(files())
    };
    let root = Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .about(super::help::ABOUT)
        .after_help(super::help::AFTER)
        .disable_help_subcommand(true);
    let commands = super::help::COMMANDS.lines();
    let about = |word: Word| {
        let mut abouts = commands
            .clone()
            .filter_map(|line| line.trim_start().strip_prefix(word.name()));
        abouts.next().unwrap_or_default().trim().to_owned()
    };
    Word::PUBLIC
        .into_iter()
        .fold(with(root, Word::Run), |root, word| {
            let command = Command::new(word.name()).about(about(word));
            root.subcommand(with(command, word))
        })
}

fn files() -> Arg {
    Arg::new("files")
        .value_name("FILE")
        .num_args(0..)
        .value_hint(ValueHint::FilePath)
        .help("Java .properties files; later ones win")
}

/// In the flat list the help says whose an option is: "verify: begin here. offsets: set them".
fn said_to(word: Word, help: &str) -> String {
    let parts = help
        .split(". ")
        .filter_map(|sentence| sentence.split_once(": "));
    let mut parts =
        parts.filter(|(owners, _)| owners.split(", ").any(|owner| owner == word.name()));
    parts.next().map_or(help, |(_, said)| said).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_its_options_and_a_page() {
        described().debug_assert();
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("made");
        write(&folder).unwrap();
        let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        for (name, parts) in [
            (
                "kafka-milvus-sink.bash",
                &["offsets", "--until-end", "--execute"][..],
            ),
            ("_kafka-milvus-sink", &["offsets:Show what", "--set="]),
            ("kafka-milvus-sink.fish", &["__fish", "-l execute"]),
            (
                "kafka-milvus-sink.1",
                &["until\\-end", "Exit status", "offsets"],
            ),
            (
                "kafka-milvus-sink-offsets.1",
                &["execute", "\nset them to that"],
            ),
            ("kafka-milvus-sink-verify.1", &["since", "\nend here"]),
        ] {
            let text = text(name);
            for part in parts {
                assert!(text.contains(part), "{part} is missing in {name}:\n{text}");
            }
        }
        let check = text("kafka-milvus-sink-check.1");
        for other in ["until\\-end", "execute", "since"] {
            assert!(!check.contains(other), "{other}");
        }
        assert!(!text("kafka-milvus-sink.1").contains("generate"));
    }
}
