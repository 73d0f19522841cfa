//! `GET /`: the status page, one file that needs nothing from outside, and the policy that a browser holds it to.

use std::sync::OnceLock;

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};

const PAGE: &str = include_str!("page.html");

pub(super) async fn answer() -> Response {
    static POLICY: OnceLock<String> = OnceLock::new();
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY.get_or_init(policy).as_str()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, PAGE).into_response()
}

/// The page's own script and style run, by their hashes, and nothing else; it may ask where it came from.
fn policy() -> String {
    let hash = |tag: &str| {
        let digest = Sha256::digest(inside(PAGE, tag).as_bytes());
        format!("'sha256-{}'", BASE64.encode(digest))
    };
    format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash("script"),
        hash("style"),
    )
}

/// What stands between the tags.
fn inside<'a>(page: &'a str, tag: &str) -> &'a str {
    let after = page.split_once(&format!("<{tag}>"));
    let within = after.and_then(|(_, rest)| rest.split_once(&format!("</{tag}>")));
    within.map_or("", |(within, _)| within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_one_script_and_one_style_and_asks_for_nothing_from_outside() {
        for tag in ["script", "style"] {
            assert_eq!(PAGE.matches(&format!("<{tag}")).count(), 1, "{tag}");
            assert!(inside(PAGE, tag).len() > 1000, "{tag}");
        }
        // Handlers and styles in attributes would be refused by the policy, links lead elsewhere.
        let markup = PAGE.replace(inside(PAGE, "script"), "");
        for refused in ["://", " style=", " onclick=", " src=", "@import", "url("] {
            assert!(!markup.contains(refused), "{refused}");
        }
        assert!(!inside(PAGE, "script").contains("innerHTML"));
    }

    #[test]
    fn the_policy_lets_the_pages_own_script_and_style_run_and_nothing_else() {
        assert_eq!(inside("<a>x</a><b>y</b>", "b"), "y");
        let policy = policy();
        let parts: Vec<_> = policy.split("; ").collect();
        assert_eq!(parts[0], "default-src 'none'");
        let style = BASE64.encode(Sha256::digest(inside(PAGE, "style")));
        assert_eq!(parts[2], format!("style-src 'sha256-{style}'"));
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}
