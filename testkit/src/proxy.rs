//! A proxy to put before a server, that breaks the network as told.

use std::io;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::{ports, runtime};

/// What a [`FaultProxy`] does to connections, those that are open included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Passes every byte on.
    Works,
    /// Passes on what the client says this much later. To be set before it connects.
    Delays(Duration),
    /// Nobody listens; open connections are reset.
    Refuses,
    /// Takes connections and bytes, and answers nothing.
    Swallows,
    /// Takes a connection and resets it.
    Resets,
}

/// Stands between a client and a server, and fails as told.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    network: watch::Sender<Network>,
    listening: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl FaultProxy {
    /// A working proxy before `127.0.0.1:<target>`.
    pub fn before(target: u16) -> FaultProxy {
        let port = ports::free();
        let (network, told) = watch::channel(Network::Works);
        let (heard, listening) = watch::channel(false);
        let task = runtime::handle().spawn(fault_loop(port, target, told, heard));
        let proxy = FaultProxy {
            port,
            network,
            listening,
            task,
        };
        proxy.set(Network::Works);
        proxy
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// `http://host:port`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on the network does this; it does so when this returns.
    pub fn set(&self, network: Network) {
        self.network.send_replace(network);
        let mut listening = self.listening.clone();
        let wanted = network != Network::Refuses;
        let waited = runtime::block_on(async move {
            let settled = listening.wait_for(|listening| *listening == wanted);
            tokio::time::timeout(Duration::from_secs(10), settled)
                .await
                .is_ok_and(|changed| changed.is_ok())
        });
        assert!(waited, "the proxy on port {} does not follow", self.port);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn fault_loop(
    port: u16,
    target: u16,
    mut told: watch::Receiver<Network>,
    heard: watch::Sender<bool>,
) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        if *told.borrow_and_update() == Network::Refuses {
            heard.send_replace(false);
            if told.changed().await.is_err() {
                return;
            }
            continue;
        }
        let listener = TcpListener::bind(("127.0.0.1", port)).await;
        let listener = listener.expect("the proxy's port is free");
        heard.send_replace(true);
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let (client, _) = accepted.expect("accept");
                    connections.spawn(carry(client, target, told.clone()));
                }
                changed = told.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    if *told.borrow() == Network::Refuses {
                        break;
                    }
                }
            }
        }
    }
}

/// Carries one connection until one end closes it or the network says otherwise.
async fn carry(client: TcpStream, target: u16, mut told: watch::Receiver<Network>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await else {
        return reset(&client);
    };
    loop {
        let network = *told.borrow_and_update();
        tokio::select! {
            end = pump(&client, &server, network) => {
                return if end.is_err() { reset(&client) };
            }
            changed = told.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
    }
}

async fn pump(client: &TcpStream, server: &TcpStream, network: Network) -> io::Result<()> {
    match network {
        Network::Works => carry_on(client, server, Duration::ZERO).await,
        Network::Delays(delay) => carry_on(client, server, delay).await,
        Network::Swallows => std::future::pending().await,
        Network::Refuses | Network::Resets => Err(io::ErrorKind::ConnectionReset.into()),
    }
}

async fn carry_on(client: &TcpStream, server: &TcpStream, delay: Duration) -> io::Result<()> {
    tokio::select! {
        end = copy(client, server, delay) => end,
        end = copy(server, client, Duration::ZERO) => end,
    }
}

/// Copies until the end of `from`. Nothing is lost when this is dropped between two reads: a half-written piece would
/// be, but then the network has changed anyway.
async fn copy(from: &TcpStream, to: &TcpStream, delay: Duration) -> io::Result<()> {
    let mut piece = vec![0; 64 << 10];
    loop {
        from.readable().await?;
        let read = match from.try_read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let mut rest = piece.get(..read).unwrap_or_default();
        while !rest.is_empty() {
            to.writable().await?;
            match to.try_write(rest) {
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Makes the coming close a reset instead of an orderly end.
fn reset(stream: &TcpStream) {
    // It may be closed already.
    drop(stream.set_zero_linger());
}
