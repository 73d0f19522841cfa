//! A proxy to put before a server that speaks no TLS.

use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::tls::Identity;
use crate::{ports, runtime};

/// Speaks TLS with HTTP/2 to clients and passes the plain bytes on.
#[derive(Debug)]
pub struct TlsProxy {
    port: u16,
    shown: Shown,
    task: JoinHandle<()>,
}

/// The configuration of the next connections.
type Shown = Arc<Mutex<Arc<ServerConfig>>>;

impl TlsProxy {
    /// A proxy before `127.0.0.1:<target>` that shows `identity`.
    pub fn before(target: u16, identity: &Identity) -> TlsProxy {
        let port = ports::free();
        let shown = Arc::new(Mutex::new(Arc::new(server_config(identity))));
        let listener = runtime::block_on(TcpListener::bind(("127.0.0.1", port)));
        let listener = listener.expect("the proxy's port is free");
        let task = runtime::handle().spawn(tls_loop(listener, Arc::clone(&shown), target));
        TlsProxy { port, shown, task }
    }

    /// Shows another identity to those that connect from now on.
    pub fn show(&self, identity: &Identity) {
        *self.shown.lock().unwrap() = Arc::new(server_config(identity));
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// `https://host:port`.
    pub fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }
}

impl Drop for TlsProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn tls_loop(listener: TcpListener, shown: Shown, target: u16) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.expect("accept");
        let acceptor = TlsAcceptor::from(Arc::clone(&*shown.lock().unwrap()));
        connections.spawn(async move {
            // A client that does not trust us ends here; that is its affair.
            let mut client = acceptor.accept(client).await?;
            let mut server = TcpStream::connect(("127.0.0.1", target)).await?;
            copy_bidirectional(&mut client, &mut server).await
        });
    }
}

fn server_config(identity: &Identity) -> ServerConfig {
    let chain = CertificateDer::pem_slice_iter(identity.chain.as_bytes());
    let chain = chain.collect::<Result<Vec<_>, _>>().expect("a PEM chain");
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("a PEM key");
    let config = ServerConfig::builder().with_no_client_auth();
    let mut config = config.with_single_cert(chain, key).expect("chain and key");
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}
