//! The typo rule: a key that is almost a known one is a mistake, and the known one is named.

/// The most similar candidate within two changes (a character put in, left out or replaced).
pub(in crate::config) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|&(distance, _)| distance <= 2)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, upper and lower case being equal.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, &b) in row.iter_mut().skip(1).zip(&b) {
            let here = (diagonal + usize::from(a != b))
                .min(left + 1)
                .min(*cell + 1);
            diagonal = std::mem::replace(cell, here);
            left = here;
        }
        row[0] = i + 1;
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_changes_are_a_typo_and_three_are_not() {
        let check = |name, expected| {
            let known = ["topics", "token", "linger.ms", "name"];
            assert_eq!(nearest(name, known), expected, "{name}");
        };
        check("topics", Some("topics"));
        check("topic", Some("topics"));
        check("Linger.MS", Some("linger.ms"));
        check("lingre.ms", Some("linger.ms"));
        check("linger", None);
        check("tkoen", Some("token"));
        check("names", Some("name"));
        check("", None);
        check("port", None);
        check("some.other.key", None);
    }

    #[test]
    fn distances_of_the_textbook() {
        let check = |a, b, expected| {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        };
        check("kitten", "sitting", 3);
        check("", "abc", 3);
        check("flaw", "lawn", 2);
        check("same", "same", 0);
    }
}
