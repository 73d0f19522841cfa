//! The proxy before a server that sends back what it hears: what comes through, when, and how it ends.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::{FaultProxy, Network, Way};

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(20);

/// A proxy before an echo.
fn before_echo() -> FaultProxy {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut heard = stream.try_clone().unwrap();
                // It ends as the proxy says.
                drop(std::io::copy(&mut heard, &mut stream));
                drop(stream.shutdown(Shutdown::Write));
            });
        }
    });
    FaultProxy::before(port)
}

fn connect(proxy: &FaultProxy) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

#[track_caller]
fn assert_echoes(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back).unwrap();
    assert!(back == bytes, "other bytes came back");
}

/// Nothing comes for a while.
#[track_caller]
fn assert_silent(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(SHORT)).unwrap();
    let read = stream.read(&mut [0]);
    let kind = read.expect_err("silence").kind();
    assert!(matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut));
    stream.set_read_timeout(Some(LONG)).unwrap();
}

fn pattern(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

#[test]
fn what_it_passes_on_is_what_came_however_often_the_network_changes() {
    let proxy = before_echo();
    let mut stream = connect(&proxy);
    let networks = [
        Network::Delays(Duration::from_millis(30)),
        Network::Works,
        Network::Each {
            to_server: Way::Trickles(8_000_000),
            to_client: Way::Delays(Duration::from_millis(10)),
        },
        Network::Swallows,
    ];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for network in networks.iter().cycle().take(40) {
                proxy.set(*network);
            }
            proxy.set(Network::Works);
        });
        let (mut to, bytes) = (stream.try_clone().unwrap(), pattern(3_000_000));
        let sent = bytes.clone();
        scope.spawn(move || to.write_all(&sent).unwrap());
        let mut back = vec![0; bytes.len()];
        stream.read_exact(&mut back).unwrap();
        assert!(back == bytes, "other bytes came back");
    });
}

#[test]
fn a_delay_is_a_delay_and_takes_nothing_from_the_bandwidth() {
    let proxy = before_echo();
    let mut stream = connect(&proxy);
    let delay = Duration::from_millis(400);
    for (to_server, to_client) in [
        (Way::Delays(delay), Way::Works),
        (Way::Works, Way::Delays(delay)),
    ] {
        proxy.set_each(to_server, to_client);
        let begun = Instant::now();
        let (mut to, bytes) = (stream.try_clone().unwrap(), pattern(2_000_000));
        let sent = bytes.clone();
        let thread = std::thread::spawn(move || to.write_all(&sent).unwrap());
        let mut back = vec![0; bytes.len()];
        stream.read_exact(&mut back).unwrap();
        thread.join().unwrap();
        // One delay, and not one for each of some thirty pieces.
        let took = begun.elapsed();
        assert!((delay..delay * 8).contains(&took), "{took:?}");
    }
}

#[test]
fn a_trickle_is_no_faster_than_it_may_be() {
    let proxy = before_echo();
    proxy.set_each(Way::Works, Way::Trickles(100_000));
    let begun = Instant::now();
    assert_echoes(&mut connect(&proxy), &pattern(50_000));
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(400), "{took:?}");
}

#[test]
fn a_direction_that_is_swallowed_leaves_the_other_one_and_keeps_its_bytes_for_later() {
    let proxy = before_echo();
    let mut stream = connect(&proxy);
    assert_echoes(&mut stream, b"before");
    for (to_server, to_client) in [(Way::Swallows, Way::Works), (Way::Works, Way::Swallows)] {
        proxy.set_each(to_server, to_client);
        stream.write_all(b"meanwhile").unwrap();
        assert_silent(&mut stream);
        proxy.set(Network::Works);
        let mut back = [0; 9];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"meanwhile");
    }
    proxy.set(Network::Swallows);
    assert_silent(&mut connect(&proxy));
}

#[test]
fn a_half_closed_connection_still_carries_the_other_direction() {
    let proxy = before_echo();
    let mut stream = connect(&proxy);
    assert_echoes(&mut stream, b"before");
    proxy.set_each(Way::Works, Way::Ends);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "no more comes");
    stream.write_all(b"still open").unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "and it is not reset");
}

/// What came of so many bytes before the connection broke, for each of some connections.
fn cuts(most: u32, seed: u64) -> Vec<usize> {
    let proxy = before_echo();
    proxy.set_each(Way::Works, Way::Cuts { most, seed });
    let one = |_| {
        let mut stream = connect(&proxy);
        stream.write_all(&pattern(5000)).unwrap();
        let mut came = Vec::new();
        let error = stream.read_to_end(&mut came).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert!(pattern(5000).starts_with(&came));
        came.len()
    };
    (0..6).map(one).collect()
}

#[test]
fn connections_are_cut_where_the_seed_says() {
    let first = cuts(4000, 7);
    assert!(first.iter().all(|cut| *cut <= 4000), "{first:?}");
    assert!(first.iter().any(|cut| *cut != first[0]), "{first:?}");
    assert_ne!(first, cuts(4000, 8));
}

#[test]
fn refused_and_reset_connections_say_so_and_the_next_one_works() {
    let proxy = before_echo();
    for network in [Network::Refuses, Network::Resets] {
        let mut open = connect(&proxy);
        assert_echoes(&mut open, b"before");
        proxy.set(network);
        let kind = open.read(&mut [0]).unwrap_err().kind();
        assert_eq!(kind, ErrorKind::ConnectionReset, "{network:?}");
        let another = TcpStream::connect(("127.0.0.1", proxy.port()));
        let end = another.and_then(|mut another| another.read(&mut [0]));
        let refused = [ErrorKind::ConnectionRefused, ErrorKind::ConnectionReset];
        assert!(refused.contains(&end.unwrap_err().kind()), "{network:?}");
        proxy.set(Network::Works);
        assert_echoes(&mut connect(&proxy), b"after");
    }
}

#[test]
fn a_reset_of_a_moment_reaches_all_that_are_open() {
    let proxy = before_echo();
    for _ in 0..50 {
        let mut open = connect(&proxy);
        assert_echoes(&mut open, b"before");
        proxy.set(Network::Resets);
        proxy.set(Network::Works);
        let kind = open.read(&mut [0]).unwrap_err().kind();
        assert_eq!(kind, ErrorKind::ConnectionReset);
    }
}

#[test]
fn what_a_stranded_client_has_said_comes_to_the_server_when_it_is_due() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = FaultProxy::before(listener.local_addr().unwrap().port());
    let delay = SHORT * 2;
    proxy.set(Network::Delays(delay));
    let mut client = connect(&proxy);
    let (mut server, _) = listener.accept().unwrap();
    let begun = Instant::now();
    client.write_all(b"late").unwrap();
    assert_silent(&mut client);
    proxy.set(Network::Strands);
    let kind = client.read(&mut [0]).unwrap_err().kind();
    assert_eq!(kind, ErrorKind::ConnectionReset);
    let mut heard = [0; 4];
    server.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"late");
    assert!(begun.elapsed() >= delay);
    let mut another = connect(&proxy);
    let (mut server, _) = listener.accept().unwrap();
    another.write_all(b"at once").unwrap();
    let mut heard = [0; 7];
    server.read_exact(&mut heard).unwrap();
}
