//! What a server calls its version, and which faults follow from that.

use std::fmt;

/// Three numbers, in their order. A text without them (Milvus Lite's, a build's hash) is no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32, u32, u32);

impl Version {
    /// `v2.3.5-lite`, `2.4.1`: a word before the numbers makes it another product's.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut parts = text.strip_prefix('v').unwrap_or(text).splitn(3, '.');
        let mut next = || parts.next();
        let (major, minor, rest) = (next()?, next()?, next()?);
        let end = rest.find(|c: char| !c.is_ascii_digit());
        let (patch, _build) = rest.split_at(end.unwrap_or(rest.len()));
        let number = |part: &str| {
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        };
        Some(Self(number(major)?, number(minor)?, number(patch)?))
    }

    /// Upserts into a collection with a partition key go to the partition that the primary key's hash names, where no
    /// filter on the partition key finds them. Came with 2.3.5 (milvus-io/milvus#29668), and left on the branch 2.3 by
    /// #30773; the release is not sure, so the last one of that branch that may lack it counts as having it.
    pub fn misroutes_upserts(self) -> bool {
        (Self(2, 3, 5)..Self(2, 3, 11)).contains(&self)
    }

    /// Anything but an object in a JSON field is refused, and the whole request with it (code 1001).
    pub fn wants_json_objects(self) -> bool {
        self < Self(2, 4, 0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_three_numbers_and_the_fault_is_known_by_them() {
        let check = |text: &str, shown: Option<&str>, misroutes: bool| {
            let version = Version::parse(text);
            let found = version.map(|version| version.to_string());
            assert_eq!(found.as_deref(), shown, "{text}");
            let found = version.is_some_and(Version::misroutes_upserts);
            assert_eq!(found, misroutes, "{text}");
            let found = version.is_some_and(Version::wants_json_objects);
            assert_eq!(found, shown.is_some_and(|shown| shown < "2.4"), "{text}");
        };
        check("v2.3.4", Some("2.3.4"), false);
        check("v2.3.5-lite", Some("2.3.5"), true);
        check("2.3.5", Some("2.3.5"), true);
        check("2.3.10", Some("2.3.10"), true);
        check("2.3.10-dev.1", Some("2.3.10"), true);
        check("v2.3.11", Some("2.3.11"), false);
        check("2.4.0-rc.1", Some("2.4.0"), false);
        check("v2.6.19", Some("2.6.19"), false);
        for none in [
            "",
            "v",
            "2.3",
            "2.3.",
            "2.3.x",
            "2..5",
            "+2.3.5",
            "milvus_lite-3.2.2",
            "master-20260101-abcdef",
            "99999999999.3.5",
        ] {
            check(none, None, false);
        }
    }
}
