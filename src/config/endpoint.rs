//! `public.endpoint`: where Milvus listens, in the forms in which people write it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::Endpoint;

const HTTPS_PORT: u16 = 443;
const HTTP_PORT: u16 = 19530;

/// What is wrong with an endpoint. No variant shows the text: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum EndpointError {
    #[error(
        "this is the placeholder of the documentation; put the address of your Milvus here, such as http://localhost:19530, or of your Zilliz Cloud cluster, such as https://in01-abc.zillizcloud.com"
    )]
    Placeholder,
    #[error(
        "without http:// or https:// only this machine is taken (localhost:19530); say http://, or https:// for TLS"
    )]
    Scheme,
    #[error("the scheme is not one of http and https")]
    UnknownScheme,
    #[error("a login does not belong into the endpoint; put it into token as user:password")]
    Userinfo,
    #[error("nothing may follow the port: no path, no query")]
    Path,
    #[error("the host is not a name, an IPv4 address or an IPv6 address in brackets")]
    Host,
    #[error("the port is not a number from 1 to 65535")]
    Port,
}

pub(super) fn parse(text: &str) -> Result<Endpoint, EndpointError> {
    if text.contains(['<', '>']) {
        return Err(EndpointError::Placeholder);
    }
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text),
    };
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if authority.contains('@') {
        return Err(EndpointError::Userinfo);
    }
    if !path.is_empty() && path != "/" {
        return Err(EndpointError::Path);
    }
    let (host, port) = split_port(authority)?;
    let tls = match scheme {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => true,
        Some(scheme) if scheme.eq_ignore_ascii_case("http") => false,
        Some(_) => return Err(EndpointError::UnknownScheme),
        None if is_loopback(host) => false,
        None => return Err(EndpointError::Scheme),
    };
    let port = match (port, tls) {
        (Some(port), _) => parse_port(port)?,
        (None, true) => HTTPS_PORT,
        (None, false) => HTTP_PORT,
    };
    let host = host.to_owned();
    Ok(Endpoint { tls, host, port })
}

/// Host without brackets, port as written.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), EndpointError> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or(EndpointError::Host)?;
        host.parse::<Ipv6Addr>().map_err(|_| EndpointError::Host)?;
        match port.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if port.is_empty() => (host, None),
            None => return Err(EndpointError::Host),
        }
    } else {
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if host.is_empty() || !host.chars().all(is_name) {
            return Err(EndpointError::Host);
        }
        (host, port)
    };
    Ok((host, port))
}

fn parse_port(text: &str) -> Result<u16, EndpointError> {
    match text.parse() {
        Ok(port) if port > 0 && text.bytes().all(|b| b.is_ascii_digit()) => Ok(port),
        _ => Err(EndpointError::Port),
    }
}

/// Whether traffic to the host stays on this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        let (host, port) = (&self.host, self.port);
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}")
        } else {
            write!(f, "{scheme}://{host}:{port}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, EndpointError>) {
        let parsed = parse(text).map(|endpoint| endpoint.to_string());
        assert_eq!(parsed, expected.map(str::to_owned), "{text}");
    }

    #[test]
    fn forms_that_are_taken() {
        check("http://milvus", Ok("http://milvus:19530"));
        check(
            "https://in01.zillizcloud.com",
            Ok("https://in01.zillizcloud.com:443"),
        );
        check("HTTPS://a.b:19537/", Ok("https://a.b:19537"));
        check("http://10.0.0.1:1", Ok("http://10.0.0.1:1"));
        check("http://[::1]:19530", Ok("http://[::1]:19530"));
        check("https://[2001:db8::1]", Ok("https://[2001:db8::1]:443"));
        check("http://under_score:1", Ok("http://under_score:1"));
        check("localhost:19530", Ok("http://localhost:19530"));
        check("milvus.localhost:1", Ok("http://milvus.localhost:1"));
        check("localhost", Ok("http://localhost:19530"));
        check("127.0.0.2:19531", Ok("http://127.0.0.2:19531"));
        check("[::1]:19530", Ok("http://[::1]:19530"));
    }

    #[test]
    fn forms_that_are_refused() {
        check(
            "https://<public.endpoint>:port",
            Err(EndpointError::Placeholder),
        );
        check("milvus:19530", Err(EndpointError::Scheme));
        check("in01.zillizcloud.com", Err(EndpointError::Scheme));
        check("tcp://milvus:19530", Err(EndpointError::UnknownScheme));
        check(
            "http://root:Milvus@milvus:19530",
            Err(EndpointError::Userinfo),
        );
        check("http://milvus/v2/vectordb", Err(EndpointError::Path));
        check("http://milvus?x=1", Err(EndpointError::Path));
        check("http://", Err(EndpointError::Host));
        check("http://a b:1", Err(EndpointError::Host));
        check("http://[::1", Err(EndpointError::Host));
        check("http://[::1]x", Err(EndpointError::Host));
        check("http://::1:19530", Err(EndpointError::Host));
        check("http://a:", Err(EndpointError::Port));
        check("http://a:0", Err(EndpointError::Port));
        check("http://a:+80", Err(EndpointError::Port));
        check("http://a:65536", Err(EndpointError::Port));
        check("https://a:port", Err(EndpointError::Port));
    }
}
