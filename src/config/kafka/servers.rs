//! `bootstrap.servers`: the brokers to ask first.

use super::client::{Users, Written};
use crate::config::layers::Givens;
use crate::config::report::Report;
use crate::config::values::parse_list;

/// The consumer's own, or everybody's; `host:port` each.
pub(super) fn bootstrap(givens: &Givens, users: &Users<'_>, report: &mut Report) -> String {
    const KEY: &str = "bootstrap.servers";
    let everybody = || {
        let given = givens.get(KEY)?;
        Some(Written { key: KEY, given })
    };
    let Some(Written { key, given }) = users.get(KEY).copied().or_else(everybody) else {
        return String::new();
    };
    let servers = parse_list(&given.value);
    let is_server = |server: &str| {
        let server = server.split_once("://").map_or(server, |(_, rest)| rest);
        server.rsplit_once(':').is_some_and(|(host, port)| {
            let is_host = |c: char| c.is_ascii_alphanumeric() || ".-_[]:%".contains(c);
            !host.is_empty()
                && host.chars().all(is_host)
                && port.parse::<u16>().is_ok_and(|port| port > 0)
        })
    };
    if servers.is_empty() || !servers.iter().all(|server| is_server(server)) {
        report.invalid(key, given, "host:port, separated by commas");
    }
    servers.join(",")
}

/// The hosts of a bootstrap list, without brackets.
pub(super) fn hosts(bootstrap_servers: &str) -> impl Iterator<Item = &str> {
    bootstrap_servers.split(',').map(|server| {
        let server = server.split_once("://").map_or(server, |(_, rest)| rest);
        let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
        host.trim_matches(['[', ']'])
    })
}
