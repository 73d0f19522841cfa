//! The bytes of one direction of one connection, on their way through the proxy.

use std::collections::VecDeque;
use std::io;
use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::{Direction, Network, Way, broken};

/// So much is taken in one go; a direction that trickles takes what is due in a twentieth of a second.
const PIECE: usize = 64 << 10;
const TWENTIETH: Duration = Duration::from_millis(50);
/// So much waits in the proxy at most; what is beyond that waits with the sender.
const HELD: usize = 4 << 20;

/// By then a server has answered what it was asked.
const ANSWERED: Duration = Duration::from_secs(10);

pub(super) struct Flow<'a> {
    from: &'a TcpStream,
    to: &'a TcpStream,
    direction: Direction,
    number: u64,
    way: Way,
    /// What may still pass before the connection is cut.
    left: usize,
    waiting: VecDeque<Piece>,
    held: usize,
    /// When the last piece of a direction that trickles has gone.
    clear: Instant,
}

/// The last bytes of a sender that is gone.
pub(super) struct Rest(VecDeque<Piece>);

impl Rest {
    /// When they are due; whatever is answered goes nowhere. The server hears of no end before it has answered.
    pub(super) async fn deliver(self, to: &mut TcpStream) {
        for piece in self.0 {
            sleep_until(piece.due).await;
            let rest = piece.bytes.get(piece.written..).unwrap_or_default();
            if to.write_all(rest).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(ANSWERED).await;
    }
}

struct Piece {
    due: Instant,
    bytes: Vec<u8>,
    written: usize,
}

impl<'a> Flow<'a> {
    pub(super) fn new(
        from: &'a TcpStream,
        to: &'a TcpStream,
        direction: Direction,
        number: u64,
    ) -> Self {
        Self {
            from,
            to,
            direction,
            number,
            way: Way::Works,
            left: usize::MAX,
            waiting: VecDeque::new(),
            held: 0,
            clear: Instant::now(),
        }
    }

    /// What is on its way still.
    pub(super) fn into_rest(self) -> Rest {
        Rest(self.waiting)
    }

    /// Until the sender ends, and all it sent has been passed on; an error where the connection is to be reset.
    pub(super) async fn run(&mut self, mut told: watch::Receiver<Network>) -> io::Result<()> {
        loop {
            let network = *told.borrow_and_update();
            self.follow(network.way(self.direction).ok_or_else(broken)?);
            tokio::select! {
                changed = told.changed() => changed.map_err(|_| broken())?,
                end = self.pass_on() => return end,
            }
        }
    }

    fn follow(&mut self, way: Way) {
        if self.way == way {
            return;
        }
        self.way = way;
        self.left = usize::MAX;
        match way {
            Way::Cuts { most, seed } => self.left = drawn(seed, self.number, self.direction, most),
            // Whoever has closed already needs not be told.
            Way::Ends => drop(SockRef::from(self.to).shutdown(Shutdown::Write)),
            Way::Works | Way::Delays(_) | Way::Trickles(_) | Way::Swallows => {}
        }
    }

    /// Everything is kept in `self`: this may be dropped wherever it waits.
    async fn pass_on(&mut self) -> io::Result<()> {
        if matches!(self.way, Way::Swallows | Way::Ends) {
            return std::future::pending().await;
        }
        let mut ended = false;
        loop {
            if self.left == 0 {
                return Err(broken());
            }
            let due = self.waiting.front().map(|piece| piece.due);
            let Some(due) = due else {
                if ended {
                    return Ok(());
                }
                ended = !self.read().await?;
                continue;
            };
            let may_read = !ended && self.held < HELD;
            tokio::select! {
                biased;
                () = sleep_until(due) => {
                    self.to.writable().await?;
                    self.write()?;
                }
                readable = self.from.readable(), if may_read => {
                    readable?;
                    ended = !self.read().await?;
                }
            }
        }
    }

    /// Whether there may be more.
    async fn read(&mut self) -> io::Result<bool> {
        let most = match self.way {
            Way::Trickles(rate) => (rate as usize / 20).clamp(1, PIECE),
            _ => PIECE,
        };
        let mut bytes = vec![0; most];
        self.from.readable().await?;
        match self.from.try_read(&mut bytes) {
            Ok(0) => Ok(false),
            Ok(read) => {
                bytes.truncate(read);
                self.put(bytes);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn put(&mut self, bytes: Vec<u8>) {
        let now = Instant::now();
        let due = match self.way {
            Way::Delays(delay) => now + delay,
            Way::Trickles(_) => {
                self.clear = self.clear.max(now) + TWENTIETH;
                self.clear
            }
            _ => now,
        };
        self.held += bytes.len();
        let written = 0;
        self.waiting.push_back(Piece {
            due,
            bytes,
            written,
        });
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(piece) = self.waiting.front_mut() else {
            return Ok(());
        };
        let rest = piece.bytes.get(piece.written..).unwrap_or_default();
        let rest = rest.get(..self.left.min(rest.len())).unwrap_or_default();
        let written = match self.to.try_write(rest) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            written => written?,
        };
        piece.written += written;
        let is_gone = piece.written == piece.bytes.len();
        self.held -= written;
        if self.left < usize::MAX {
            self.left -= written;
        }
        if is_gone {
            self.waiting.pop_front();
        }
        Ok(())
    }
}

/// A number from 1 to `most` that follows from the others alone (splitmix64).
fn drawn(seed: u64, number: u64, direction: Direction, most: u32) -> usize {
    let mut mixed = seed ^ (number << 1 | u64::from(direction == Direction::ToClient));
    mixed = mixed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    1 + usize::try_from(mixed % u64::from(most.max(1))).expect("less than a u32")
}
