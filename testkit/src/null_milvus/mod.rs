//! A Milvus that takes every write and keeps nothing of it, so that what is measured is the one who writes.
//!
//! A request's bytes are dropped undecoded: only the number of its rows is looked for (see [`request`]). It runs in a
//! process of its own, on a core of its own: [`NullMilvus::start`] starts it, [`serve`] is what that process does.
#![allow(
    clippy::expect_used,
    reason = "a benchmark's server: what fails here fails the benchmark"
)]

mod counts;
mod pace;
mod request;
mod service;

use std::io::Read as _;
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

pub use self::counts::Counts;
use self::pace::Pace;
use self::service::{NullService, State};
use crate::process::{Process, Signal};
use crate::workload::Workload;

const START: Duration = Duration::from_secs(10);
const READY: &str = "null milvus on ports ";

/// What it pretends to be. As arguments of a command line: `W768 latency=100 rate=48000000`.
#[derive(Debug, Clone)]
pub struct Options {
    /// Every collection has its schema.
    pub workload: Workload,
    /// From the last byte of a request to the answer.
    pub latency: Duration,
    /// What it takes in a second; as much as comes, where `None`.
    pub bytes_per_second: Option<u32>,
    /// HTTP/2 flow control in MiB: the window of a request, twice that for the connection.
    pub window_mib: u32,
    /// The keys are the microseconds since 1970 at which their records were made: how long each took is kept.
    pub keys_are_times: bool,
}

impl Options {
    pub fn new(workload: Workload) -> Options {
        Options {
            workload,
            latency: Duration::ZERO,
            bytes_per_second: None,
            window_mib: 16,
            keys_are_times: false,
        }
    }

    fn arguments(&self) -> Vec<String> {
        let mut all = vec![
            self.workload.to_string(),
            format!("latency={}", self.latency.as_millis()),
            format!("window={}", self.window_mib),
            format!("times={}", self.keys_are_times),
        ];
        all.extend(self.bytes_per_second.map(|rate| format!("rate={rate}")));
        all
    }

    /// From what [`NullMilvus::start`] gave its process.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Options, String> {
        let mut arguments = arguments.into_iter();
        let workload = arguments.next().ok_or("a workload comes first")?;
        let mut options = Options::new(workload.parse()?);
        for argument in arguments {
            let (name, value) = argument.split_once('=').ok_or("wants name=value")?;
            match name {
                "latency" => options.latency = Duration::from_millis(number(value)?),
                "window" => options.window_mib = number(value)?,
                "times" => options.keys_are_times = number(value)?,
                "rate" => options.bytes_per_second = Some(number(value)?),
                _ => return Err(format!("there is no option {name}")),
            }
        }
        Ok(options)
    }
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("'{text}' is not what it should be"))
}

/// One that runs. Dropping it kills it.
#[derive(Debug)]
pub struct NullMilvus {
    process: Process,
    port: u16,
    counts_port: u16,
}

impl NullMilvus {
    /// `command` is a program that calls [`serve`] with the arguments that are added to it.
    pub fn start(mut command: Command, options: &Options) -> NullMilvus {
        command.args(options.arguments());
        // Requests of megabytes: memory that is given back after each would be made anew, page by page, for the next.
        command.env("MALLOC_MMAP_THRESHOLD_", "1073741824");
        command.env("MALLOC_TRIM_THRESHOLD_", "1073741824");
        let process = Process::start("null-milvus", &command);
        let line = process.await_ready(START, || process.find_line(READY));
        let ports = line.strip_prefix(READY).and_then(|p| p.split_once(' '));
        let (port, counts_port) = ports.expect("two ports");
        NullMilvus {
            port: port.parse().expect("a port"),
            counts_port: counts_port.parse().expect("a port"),
            process,
        }
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it has taken so far.
    pub fn counts(&self) -> Counts {
        let mut stream = TcpStream::connect(("127.0.0.1", self.counts_port)).expect("it listens");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("its counts");
        text.parse().expect("its counts")
    }

    /// Nothing is answered until [`NullMilvus::resume`]; connections stay open.
    pub fn freeze(&self) {
        self.process.signal(Signal::Stop);
    }

    pub fn resume(&self) {
        self.process.signal(Signal::Cont);
    }
}

/// Serves until the process ends.
#[allow(clippy::print_stdout, reason = "says its ports to who started it")]
pub fn serve(options: &Options) {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        let incoming = TcpIncoming::bind(address).expect("a free port");
        let incoming = incoming.with_nodelay(Some(true));
        let port = incoming.local_addr().expect("a bound socket").port();
        let counts = TcpListener::bind(address).await.expect("a free port");
        let counts_port = counts.local_addr().expect("a bound socket").port();
        println!("{READY}{port} {counts_port}");

        let state = Arc::new(State::new(options));
        let window = options.window_mib << 20;
        let server = Server::builder()
            .initial_stream_window_size(window)
            .initial_connection_window_size(2 * window)
            .add_service(NullService::new(Arc::clone(&state)))
            .serve_with_incoming(incoming);
        tokio::select! {
            ended = server => ended.expect("it serves"),
            () = tell(&counts, &state) => {}
        }
    });
}

/// Whoever connects is told the counts.
async fn tell(listener: &TcpListener, state: &State) {
    loop {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let counts = state.counts().to_string();
        // Who asked may have gone.
        drop(stream.write_all(counts.as_bytes()).await);
    }
}

#[cfg(test)]
mod tests;
