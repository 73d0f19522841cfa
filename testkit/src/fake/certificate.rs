//! The certificate of a scripted server, by an authority of its own.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tonic::transport::Identity;

pub(super) struct Certificate {
    pub(super) ca_pem: String,
    pub(super) identity: Identity,
}

/// For `localhost`.
pub(super) fn certificate() -> Certificate {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().expect("a key");
    let ca_pem = authority
        .self_signed(&authority_key)
        .expect("an authority")
        .pem();
    let issuer = Issuer::new(authority, authority_key);
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let key = KeyPair::generate().expect("a key");
    let leaf = leaf.signed_by(&key, &issuer).expect("a certificate");
    Certificate {
        ca_pem,
        identity: Identity::from_pem(leaf.pem(), key.serialize_pem()),
    }
}
