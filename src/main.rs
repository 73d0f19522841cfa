//! Command line → function → exit status.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use kafka_milvus_sink::cli::Command;
use kafka_milvus_sink::config::Config;
use kafka_milvus_sink::ledger::Outcome;
use kafka_milvus_sink::{check, cli, config, log, pipeline, signal};
use tokio::sync::oneshot;

const OK: u8 = 0;
const FAILURE: u8 = 1;
const CONFIGURATION: u8 = 2;
const HALTED: u8 = 3;

fn main() -> ExitCode {
    let cli = match cli::parse(std::env::args_os(), cli::environment()) {
        Ok(cli) => cli,
        Err(answer) => return clap_status(&answer),
    };
    let config = match config::load(&cli.sources) {
        Ok(config) => config,
        Err(errors) => {
            complain(&errors);
            return ExitCode::from(CONFIGURATION);
        }
    };
    log::start(&config.log);
    log::end_on_panic();
    // One more than there are cores, so that connections, timers and health always have one beside decoding.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores + 1)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&error);
            return ExitCode::from(FAILURE);
        }
    };
    let status = match cli.command {
        Command::Run { until_end } => runtime.block_on(run(config, until_end)),
        Command::Check => runtime.block_on(check(&config)),
    };
    runtime.shutdown_background();
    ExitCode::from(status)
}

async fn run(config: Config, until_end: bool) -> u8 {
    let mut signals = match signal::Signals::new() {
        Ok(signals) => signals,
        Err(error) => {
            tracing::error!("signals cannot be received: {error}");
            return FAILURE;
        }
    };
    let (ask, asked) = oneshot::channel::<()>();
    let mut ask = Some(ask);
    let stop = async {
        asked.await.ok();
    };
    let mut pipeline = std::pin::pin!(pipeline::run(config, until_end, stop));
    loop {
        tokio::select! {
            result = &mut pipeline => return status(result),
            () = signals.next() => match ask.take() {
                Some(ask) => ask.send(()).unwrap_or_default(),
                None => {
                    tracing::warn!("asked to stop again: ending at once; what was not committed is read again");
                    return FAILURE;
                }
            },
        }
    }
}

fn status(result: Result<Outcome, pipeline::PipelineError>) -> u8 {
    match result {
        Ok(outcome) => {
            tracing::info!("{outcome}");
            match outcome {
                Outcome::Drained | Outcome::EndReached { halted: false } => OK,
                Outcome::NotDrained => FAILURE,
                Outcome::AllHalted | Outcome::EndReached { halted: true } => HALTED,
            }
        }
        Err(error) => {
            tracing::error!("{}", log::chain(&error));
            if error.is_configuration() {
                CONFIGURATION
            } else {
                FAILURE
            }
        }
    }
}

async fn check(config: &Config) -> u8 {
    match check::check(config, &mut std::io::stdout()).await {
        Ok(check::Verdict::Clean) => OK,
        Ok(check::Verdict::WouldFail) => FAILURE,
        Ok(check::Verdict::Configuration) => CONFIGURATION,
        Err(error) => {
            complain(&error);
            CONFIGURATION
        }
    }
}

/// Help and version are answers, too.
fn clap_status(answer: &clap::Error) -> ExitCode {
    match answer.print() {
        Ok(()) if !answer.use_stderr() => ExitCode::from(OK),
        _ => ExitCode::from(CONFIGURATION),
    }
}

/// Before there is a log, or beside it.
fn complain(error: &dyn Error) {
    writeln!(std::io::stderr(), "{}", log::chain(error)).ok();
}
