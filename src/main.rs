//! Command line → function → exit status.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use kafka_milvus_sink::cli::Command;
use kafka_milvus_sink::config::{Config, ConfigErrors, Sources};
use kafka_milvus_sink::exit::Status;
use kafka_milvus_sink::{check, cli, config, daemon, log, offsets, verify};

fn main() -> ExitCode {
    let cli = match cli::parse(std::env::args_os(), cli::environment()) {
        Ok(cli) => cli,
        Err(answer) => {
            // Help and version are answers, too: 0 on standard output, 2 otherwise.
            answer.print().ok();
            return ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2));
        }
    };
    if let Command::Generate(folder) = &cli.command {
        let written = cli::generated::write(folder);
        return written
            .map_or_else(|error| complain(&error, Status::Failure), |()| Status::Done)
            .into();
    }
    let status = match config::load(&cli.sources) {
        Ok(config) => execute(cli.command, cli.sources, config),
        Err(errors) => {
            match &cli.command {
                Command::Check(options) => show_refused(&errors, *options),
                _ => complain(&errors, Status::Configuration),
            };
            if cli.sources.files.is_empty() {
                hint("kafka-milvus-sink --help shows how to begin");
            }
            Status::Configuration
        }
    };
    status.into()
}

fn execute(command: Command, sources: Sources, config: Config) -> Status {
    let log = log::start(&config.log);
    log::end_on_panic();
    // One more than there are cores, so that connections, timers and health always have one beside decoding.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores + 1)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error, Status::Failure),
    };
    let status = match command {
        Command::Run { until_end } => {
            runtime.block_on(daemon::run(config, sources, until_end, log))
        }
        Command::Check(options) => runtime
            .block_on(check::check(&config, options, &mut std::io::stdout()))
            .map_or_else(|error| complain(&error, Status::from(&error)), Status::from),
        Command::Verify(options) => runtime
            .block_on(verify::verify(&config, &options, &mut std::io::stdout()))
            .map_or_else(|error| complain(&error, Status::from(&error)), Status::from),
        Command::Offsets(options) => runtime
            .block_on(offsets::offsets(&config, &options, &mut std::io::stdout()))
            .map_or_else(
                |error| complain(&error, Status::from(&error)),
                |()| Status::Done,
            ),
        Command::Generate(_) => Status::Done, // without a configuration, before this
    };
    runtime.shutdown_background();
    status
}

/// As a whole, with what became of every key.
fn show_refused(errors: &ConfigErrors, options: check::Options) -> Status {
    check::refused(errors, options, &mut std::io::stdout())
        .map_or_else(|error| complain(&error, Status::from(&error)), Status::from)
}

/// For a person at the terminal, before there is a log or beside it.
fn complain(error: &dyn Error, status: Status) -> Status {
    hint(&log::chain(error));
    status
}

fn hint(text: &str) {
    writeln!(std::io::stderr(), "{text}").ok();
}
