//! A proxy to put before a server, that breaks the network as told: for both directions at once or for each alone.

mod flow;
#[cfg(test)]
mod tests;

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::flow::Flow;
use crate::{ports, runtime};

/// What a [`FaultProxy`] does to connections, those that are open included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Passes every byte on.
    Works,
    /// Passes on what the client says this much later.
    Delays(Duration),
    /// Nobody listens; open connections are reset.
    Refuses,
    /// Takes connections and bytes, and answers nothing. What it took it passes on when the network works again.
    Swallows,
    /// Takes a connection and resets it.
    Resets,
    /// Resets the clients of open connections, and what they have said still comes to the server when it is due. New
    /// connections work.
    Strands,
    /// Each direction for itself.
    Each { to_server: Way, to_client: Way },
}

/// What happens to the bytes of one direction. None is lost unless the connection is, as in any network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Works,
    /// They come this much later, and as many of them as ever.
    Delays(Duration),
    /// So many come in a second.
    Trickles(u32),
    /// None comes before this way is another one.
    Swallows,
    /// The receiver is told that no more will come: a connection that is half closed.
    Ends,
    /// The connection is reset after so many bytes, at most: how many, `seed` says for each connection anew.
    Cuts {
        most: u32,
        seed: u64,
    },
}

/// One of the two directions of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToServer,
    ToClient,
}

impl Network {
    /// `None` where the connection is reset.
    fn way(self, direction: Direction) -> Option<Way> {
        match (self, direction) {
            (Network::Works | Network::Strands, _) => Some(Way::Works),
            (Network::Delays(_), Direction::ToClient) => Some(Way::Works),
            (Network::Delays(delay), Direction::ToServer) => Some(Way::Delays(delay)),
            (Network::Swallows, _) => Some(Way::Swallows),
            (Network::Refuses | Network::Resets, _) => None,
            (Network::Each { to_server, .. }, Direction::ToServer) => Some(to_server),
            (Network::Each { to_client, .. }, Direction::ToClient) => Some(to_client),
        }
    }
}

/// Stands between a client and a server, and fails as told.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    network: watch::Sender<Network>,
    listening: watch::Receiver<bool>,
    /// How many connections are carried.
    open: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl FaultProxy {
    /// A working proxy before `127.0.0.1:<target>`.
    pub fn before(target: u16) -> FaultProxy {
        Self::at(Ipv4Addr::LOCALHOST, ports::free(), target)
    }

    /// The same on this address and port.
    pub fn at(address: Ipv4Addr, port: u16, target: u16) -> FaultProxy {
        let (network, told) = watch::channel(Network::Works);
        let (heard, listening) = watch::channel(false);
        let (counted, open) = watch::channel(0);
        let carried = Carried { target, counted };
        let task = runtime::handle().spawn(fault_loop((address, port), carried, told, heard));
        let proxy = FaultProxy {
            port,
            network,
            listening,
            open,
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
        let (mut listening, mut open) = (self.listening.clone(), self.open.clone());
        let listens = network != Network::Refuses;
        let ends_all = matches!(network, Network::Refuses | Network::Resets);
        let waited = runtime::block_on(async move {
            let settled = async {
                listening.wait_for(|now| *now == listens).await.is_ok()
                    && open.wait_for(|open| !ends_all || *open == 0).await.is_ok()
            };
            tokio::time::timeout(Duration::from_secs(10), settled).await == Ok(true)
        });
        assert!(waited, "the proxy on port {} does not follow", self.port);
    }

    /// From now on each direction does this.
    pub fn set_each(&self, to_server: Way, to_client: Way) {
        self.set(Network::Each {
            to_server,
            to_client,
        });
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Where connections lead, and how many there are.
#[derive(Clone)]
struct Carried {
    target: u16,
    counted: watch::Sender<usize>,
}

impl Carried {
    /// Counts one for as long as the answer lives.
    fn one(&self) -> One {
        self.counted.send_modify(|open| *open += 1);
        One(self.counted.clone())
    }
}

struct One(watch::Sender<usize>);

impl Drop for One {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

async fn fault_loop(
    address: (Ipv4Addr, u16),
    carried: Carried,
    mut told: watch::Receiver<Network>,
    heard: watch::Sender<bool>,
) {
    let mut connections = tokio::task::JoinSet::new();
    let mut number = 0;
    loop {
        if *told.borrow_and_update() == Network::Refuses {
            heard.send_replace(false);
            if told.changed().await.is_err() {
                return;
            }
            continue;
        }
        let listener = TcpListener::bind(address).await;
        let listener = listener.expect("the proxy's port is free");
        heard.send_replace(true);
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let (client, _) = accepted.expect("accept");
                    number += 1;
                    connections.spawn(carry(client, carried.clone(), told.clone(), number));
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
async fn carry(
    client: TcpStream,
    carried: Carried,
    mut told: watch::Receiver<Network>,
    number: u64,
) {
    let _one = carried.one();
    if told.borrow_and_update().way(Direction::ToServer).is_none() {
        return reset(&client);
    }
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", carried.target)).await else {
        return reset(&client);
    };
    let mut to_server = Flow::new(&client, &server, Direction::ToServer, number);
    let mut to_client = Flow::new(&server, &client, Direction::ToClient, number);
    let end = tokio::select! {
        end = to_server.run(told.clone()) => end,
        end = to_client.run(told.clone()) => end,
        () = stranded(told.clone()) => {
            let rest = to_server.into_rest();
            reset(&client);
            drop(client);
            return rest.deliver(&mut server).await;
        }
    };
    if end.is_err() {
        reset(&client);
        reset(&server);
    }
}

/// Ends when connections are stranded after this one was made.
async fn stranded(mut told: watch::Receiver<Network>) {
    while told.changed().await.is_ok() {
        if *told.borrow_and_update() == Network::Strands {
            return;
        }
    }
    std::future::pending().await
}

/// Makes the coming close a reset instead of an orderly end.
fn reset(stream: &TcpStream) {
    // It may be closed already.
    drop(stream.set_zero_linger());
}

fn broken() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}
