//! The pages on `ops.listen`. Connections are few and short-lived, whatever the client does.

#[cfg(test)]
mod tests;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tracing::debug;

use super::history;
use super::pages::{Pages, pathways};

#[derive(Debug, Error)]
#[error("ops.listen: choose another address, or 'none': cannot listen on {address}")]
pub struct BindError {
    pub address: SocketAddr,
    pub source: io::Error,
}

/// What clients may take. One that dawdles loses its connection.
#[derive(Debug, Clone, Copy)]
struct Limits {
    connections: usize,
    header: Duration,
    /// From accept to the last byte of the answer.
    connection: Duration,
}

const LIMITS: Limits = Limits {
    connections: 64,
    header: Duration::from_secs(5),
    connection: Duration::from_secs(10),
};

/// Before anything else starts, so that an address in use is a mistake in the configuration.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| BindError { address, source })
}

/// What is to be said where others than this machine can reach the pages.
pub fn exposure(address: SocketAddr, in_container: bool) -> Option<String> {
    let is_exposed = !address.ip().is_loopback() && !in_container;
    is_exposed.then(|| format!("ops.listen: other machines may reach {address}, which asks nobody for a password: who does may read names, offsets and settings; listen on 127.0.0.1, or have a firewall in front"))
}

/// There, what is reachable is said by whoever runs it.
pub fn is_container() -> bool {
    let marks = ["/.dockerenv", "/run/.containerenv"];
    let variables = ["container", "KUBERNETES_SERVICE_HOST"];
    marks.iter().any(|mark| Path::new(mark).exists())
        || variables
            .iter()
            .any(|name| std::env::var_os(name).is_some())
}

/// Answers until `stop` ends; then drops what is under way.
pub async fn serve(listener: TcpListener, pages: Arc<Pages>, stop: impl Future<Output = ()>) {
    let mut tick = tokio::time::interval(history::EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let sampling = async {
        loop {
            tick.tick().await;
            pages.sample();
        }
    };
    tokio::select! {
        () = serve_within(LIMITS, listener, pathways(Arc::clone(&pages)), stop) => {}
        () = sampling => {}
    }
}

async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    let mut stop = pin!(stop);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut stop => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < limits.connections => {
                match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(connection(limits, stream, router.clone()));
                    }
                    Err(error) => {
                        // Out of file descriptors, most likely: asking again at once would spin.
                        debug!(%error, "ops connection not accepted");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        }
    }
}

/// One request, one answer.
async fn connection(limits: Limits, stream: TcpStream, router: Router) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match tokio::time::timeout(limits.connection, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "ops connection broke"),
        Err(_elapsed) => debug!("ops connection too slow"),
    }
}
