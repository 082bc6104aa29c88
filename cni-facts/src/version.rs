//! Versions and ranges of versions: the text that a project writes in, numbers that compare out.

use std::cmp::Ordering;
use std::fmt;

use semver::{Comparator, Op, VersionReq};
use serde::{Deserialize, Deserializer};

use crate::schema::CheckedText;

/// A release version. Only its numbers compare: `v1.19.0-rc.1`, `1.19.0-eksbuild.1` and `1.19.0` are the same release,
/// because a pre-release carries the changes of the release it precedes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    numbers: [u64; 3],
}

/// A text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionError {
    /// The text.
    pub text: String,
    /// What was expected instead.
    pub expected: &'static str,
}

/// A range of versions, as the crate `semver` reads requirements: `>=1.16.0, <1.17.0`; `*` is any.
#[derive(Debug, Clone)]
pub struct Range {
    text: String,
    requirement: VersionReq,
}

/// Half-open bounds of a [`Range`], as numbers; `None` is unbounded.
pub(crate) type Bounds = (Option<[u64; 3]>, Option<[u64; 3]>);

// === impl Version ===

impl Version {
    /// Reads a release version: an optional `v`, three numbers, and a suffix that starts with `-` or `+`.
    ///
    /// # Errors
    /// When the text is anything else: `latest`, `1.19`, `20240813-c6f155d6`.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        Self::read(text, 3, "three numbers, such as 1.19.6")
    }

    /// As [`parse`](Self::parse), but the patch may be missing: `1.33`, as Kubernetes minors and kernel floors are
    /// written.
    ///
    /// # Errors
    /// When the text does not start with two numbers.
    pub fn parse_minor(text: &str) -> Result<Self, VersionError> {
        Self::read(text, 2, "at least two numbers, such as 1.33")
    }

    /// The version of a kernel from `uname -r`: up to three numbers in front, whatever follows.
    ///
    /// # Errors
    /// When the text does not start with two numbers.
    pub fn of_kernel(release: &str) -> Result<Self, VersionError> {
        let end = release.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(release.len());
        let parts: Vec<&str> = release[..end].split('.').filter(|part| !part.is_empty()).take(3).collect();
        let error = VersionError { text: release.to_owned(), expected: "a kernel release, such as 5.10.0-35-amd64" };
        Self::parse_minor(&parts.join(".")).map_err(|_| error)
    }

    /// From its numbers.
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self { numbers: [major, minor, patch] }
    }

    fn read(text: &str, least: usize, expected: &'static str) -> Result<Self, VersionError> {
        let error = || VersionError { text: text.to_owned(), expected };
        let bare = text.trim();
        let bare = bare.strip_prefix(['v', 'V']).unwrap_or(bare);
        let end = bare.find(['-', '+']).unwrap_or(bare.len());
        let parts: Vec<&str> = bare[..end].split('.').collect();
        if parts.len() < least || parts.len() > 3 {
            return Err(error());
        }
        let mut numbers = [0; 3];
        for (number, part) in numbers.iter_mut().zip(parts) {
            if !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(error());
            }
            *number = part.parse().map_err(|_| error())?;
        }
        Ok(Self { numbers })
    }

    /// Its major number.
    pub fn major(&self) -> u64 {
        self.numbers[0]
    }

    /// Its minor number.
    pub fn minor(&self) -> u64 {
        self.numbers[1]
    }

    /// Its patch number.
    pub fn patch(&self) -> u64 {
        self.numbers[2]
    }

    /// Major and minor, as support tables name them: `1.19`.
    pub fn minor_text(&self) -> String {
        format!("{}.{}", self.major(), self.minor())
    }

    /// Whether both belong to the same minor.
    pub fn same_minor(&self, other: &Self) -> bool {
        self.numbers[..2] == other.numbers[..2]
    }

    /// How many minors lie between the two, in either direction; `None` across majors.
    pub fn minors_to(&self, other: &Self) -> Option<u64> {
        (self.major() == other.major()).then(|| self.minor().abs_diff(other.minor()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major(), self.minor(), self.patch())
    }
}

impl fmt::Display for VersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a version: expected {}", self.text, self.expected)
    }
}

impl std::error::Error for VersionError {}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| Self::parse_minor(text).map_err(|error| error.to_string());
        deserializer.deserialize_str(CheckedText(read))
    }
}

// === impl Range ===

impl Range {
    /// Reads a range.
    ///
    /// # Errors
    /// When it does not parse or no version is in it; the text says which.
    pub fn parse(text: &str) -> Result<Self, String> {
        let requirement = VersionReq::parse(text)
            .map_err(|error| format!("{text:?} is not a range of versions such as \">=1.16.0, <1.17.0\": {error}"))?;
        let range = Self { text: text.to_owned(), requirement };
        if let (Some(low), Some(high)) = range.bounds()
            && low.cmp(&high) != Ordering::Less
        {
            return Err(format!("no version is in the range {text:?}"));
        }
        Ok(range)
    }

    /// Whether the version's release is in it.
    pub fn contains(&self, version: &Version) -> bool {
        let [major, minor, patch] = version.numbers;
        self.requirement.matches(&semver::Version::new(major, minor, patch))
    }

    /// Whether it is `*`.
    pub fn is_any(&self) -> bool {
        self.requirement.comparators.is_empty()
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first version in it and the first above it.
    pub(crate) fn bounds(&self) -> Bounds {
        let (mut low, mut high): Bounds = (None, None);
        for comparator in &self.requirement.comparators {
            let (own_low, own_high) = bounds_of(comparator);
            low = low.max(own_low);
            high = match (high, own_high) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        (low, high)
    }

    /// Whether some version is in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let ((a_low, a_high), (b_low, b_high)) = (self.bounds(), other.bounds());
        let below = |low: Option<[u64; 3]>, high: Option<[u64; 3]>| match (low, high) {
            (Some(low), Some(high)) => low < high,
            _ => true,
        };
        below(a_low.max(b_low), a_high) && below(a_low.max(b_low), b_high)
    }
}

fn bounds_of(comparator: &Comparator) -> Bounds {
    let (major, minor, patch) = (comparator.major, comparator.minor, comparator.patch);
    let first = [major, minor.unwrap_or(0), patch.unwrap_or(0)];
    let after = match (minor, patch) {
        (Some(minor), Some(patch)) => [major, minor, patch + 1],
        (Some(minor), None) => [major, minor + 1, 0],
        _ => [major + 1, 0, 0],
    };
    match comparator.op {
        Op::Greater => (Some(after), None),
        Op::GreaterEq => (Some(first), None),
        Op::Less => (None, Some(first)),
        Op::LessEq => (None, Some(after)),
        Op::Tilde if minor.is_some() => (Some(first), Some([major, first[1] + 1, 0])),
        Op::Caret => match (major, minor, patch) {
            (0, Some(0), Some(patch)) => (Some(first), Some([0, 0, patch + 1])),
            (0, Some(minor), _) => (Some(first), Some([0, minor + 1, 0])),
            _ => (Some(first), Some([major + 1, 0, 0])),
        },
        _ => (Some(first), Some(after)),
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(CheckedText(Self::parse))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_projects_write_them() {
        let cases = [
            ("1.19.6", [1, 19, 6]),             // Cilium chart
            ("v3.32.1", [3, 32, 1]),            // Calico, Flannel tags
            ("v0.28.9", [0, 28, 9]),            //
            ("1.20.0-rc.1", [1, 20, 0]),        // Cilium pre-release
            ("v3.30.0-0.dev-42", [3, 30, 0]),   // Calico nightly
            ("v1.20.1-eksbuild.1", [1, 20, 1]), // EKS add-on
            ("v1.33.1+k3s1", [1, 33, 1]),       // k3s
            ("v0.28.9-flannel1", [0, 28, 9]),   //
            (" 2.8.1 ", [2, 8, 1]),             //
        ];
        for (text, numbers) in cases {
            assert_eq!(Version::parse(text).unwrap().numbers, numbers, "{text}");
        }
    }

    #[test]
    fn what_is_no_version_is_an_error() {
        for text in ["", "latest", "v", "1.19", "1.19.x", "1..2", "1.2.3.4", "20240813-c6f155d6", "sha256:ab", "1.2.-3"]
        {
            let error = Version::parse(text).unwrap_err();
            assert_eq!(error.text, text);
            assert!(error.to_string().contains("is not a version: expected three numbers"), "{error}");
        }
        assert!(Version::parse("99999999999999999999.0.0").is_err());
        assert_eq!(Version::parse_minor("1.33").unwrap(), Version::new(1, 33, 0));
        assert!(Version::parse_minor("1").is_err());
    }

    #[test]
    fn kernels() {
        let cases = [
            ("5.10.0-35-amd64", [5, 10, 0]),
            ("4.18.0-553.el8_10.x86_64", [4, 18, 0]),
            ("5.15.167.4-microsoft-standard-WSL2", [5, 15, 167]),
            ("6.12.0+deb13-amd64", [6, 12, 0]),
            ("6.8.12_1", [6, 8, 12]),
            ("7.2-rc1", [7, 2, 0]),
        ];
        for (text, numbers) in cases {
            assert_eq!(Version::of_kernel(text).unwrap().numbers, numbers, "{text}");
        }
        assert!(Version::of_kernel("unknown").is_err());
    }

    #[test]
    fn ranges_look_at_the_release_only() {
        let range = Range::parse(">=1.16.0, <1.17.0").unwrap();
        for (text, inside) in [("1.16.0-rc.0", true), ("1.16.19", true), ("1.17.0-pre.1", false), ("1.15.19", false)] {
            assert_eq!(range.contains(&Version::parse(text).unwrap()), inside, "{text}");
        }
        assert!(Range::parse("*").unwrap().contains(&Version::new(0, 0, 1)));
    }

    #[test]
    fn empty_ranges_are_errors() {
        for text in [">=1.17.0, <1.16.0", "<1.0.0, >=1.0.0", ">1.0.0, <1.0.1", "=1.2.3, =1.2.4"] {
            assert!(Range::parse(text).unwrap_err().contains("no version is in the range"), "{text}");
        }
        assert!(Range::parse("one").unwrap_err().contains("is not a range of versions"));
    }

    #[test]
    fn ranges_overlap_where_a_version_is_in_both() {
        let overlaps = |a: &str, b: &str| Range::parse(a).unwrap().overlaps(&Range::parse(b).unwrap());
        assert!(overlaps("*", "=1.18.3"));
        assert!(overlaps(">=1.16.0", "<1.16.1"));
        assert!(!overlaps("<1.16.0", ">=1.16.0"));
        assert!(!overlaps("=1.18.3", ">1.18.3"));
        assert!(overlaps("<=1.19.7", "=1.19.7"));
    }
}
