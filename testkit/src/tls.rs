//! A certificate authority of the test's own, and the certificates it issues.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

use crate::services;

pub use crate::tls_proxy::TlsProxy;

/// A private CA; nobody trusts it who was not given [`TestCa::pem`].
#[derive(Debug)]
pub struct TestCa {
    issuer: CertifiedIssuer<'static, KeyPair>,
    path: PathBuf,
}

/// A certificate chain and its private key, both PEM; the key is PKCS#8.
#[derive(Debug, Clone)]
pub struct Identity {
    pub chain: String,
    pub key: String,
}

impl TestCa {
    pub fn new() -> TestCa {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "Test CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, new_key()).expect("a CA certificate");
        let path = services::scratch("ca").join("ca.pem");
        fs::write(&path, issuer.as_ref().pem()).expect("ca.pem can be written");
        TestCa { issuer, path }
    }

    /// The CA's certificate.
    pub fn pem(&self) -> String {
        self.issuer.as_ref().pem()
    }

    /// A file that holds [`TestCa::pem`].
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A certificate for these DNS names and addresses, as server or as client.
    pub fn issue(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |_| {})
    }

    /// One for 127.0.0.1 and localhost that was good until the end of the year 2000.
    pub fn issue_expired(&self) -> Identity {
        self.issue_with(&["localhost", "127.0.0.1"], |params| {
            params.not_before = date_time_ymd(1999, 1, 1);
            params.not_after = date_time_ymd(2001, 1, 1);
        })
    }

    fn issue_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names.clone()).expect("usable names");
        params
            .distinguished_name
            .push(DnType::CommonName, names[0].clone());
        params.use_authority_key_identifier_extension = true;
        change(&mut params);
        let key = new_key();
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity {
            chain: certificate.pem() + &self.pem(),
            key: key.serialize_pem(),
        }
    }

    /// A certificate for 127.0.0.1 and localhost.
    pub fn issue_local(&self) -> Identity {
        self.issue(&["localhost", "127.0.0.1"])
    }
}

impl Default for TestCa {
    fn default() -> Self {
        Self::new()
    }
}

impl Identity {
    /// Key, then chain, in one text: Kafka's PEM key store.
    pub fn key_store(&self) -> String {
        format!("{}{}", self.key, self.chain)
    }
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("a key pair")
}
