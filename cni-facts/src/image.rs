//! An image reference taken apart: text in, repository, tag and digest out.

/// The parts of an image reference. They borrow from the text they were read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageRef<'a> {
    /// Registry and path, without tag and digest: `quay.io/cilium/cilium`.
    pub repository: &'a str,
    /// The tag: `v1.17.6`.
    pub tag: Option<&'a str>,
    /// The digest: `sha256:…`.
    pub digest: Option<&'a str>,
}

impl<'a> ImageRef<'a> {
    /// Takes a reference apart. Never fails: what has no tag or digest simply has none.
    ///
    /// A colon is a tag only after the last slash, before that it is the registry's port
    /// (<https://pkg.go.dev/github.com/distribution/reference>).
    pub fn parse(text: &'a str) -> Self {
        let (named, digest) = match text.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (text, None),
        };
        let last = named.rfind('/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match named[last..].find(':') {
            Some(colon) => (&named[..last + colon], Some(&named[last + colon + 1..])),
            None => (named, None),
        };
        Self { repository, tag, digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        let cases = [
            ("cilium", ("cilium", None, None)),
            ("quay.io/cilium/cilium:v1.17.6", ("quay.io/cilium/cilium", Some("v1.17.6"), None)),
            ("reg:5000/node", ("reg:5000/node", None, None)),
            ("reg:5000/node:v3", ("reg:5000/node", Some("v3"), None)),
            ("reg:5000/node@sha256:ab", ("reg:5000/node", None, Some("sha256:ab"))),
            ("a/b:v1.0.0@sha256:ab", ("a/b", Some("v1.0.0"), Some("sha256:ab"))),
            ("", ("", None, None)),
        ];
        for (text, (repository, tag, digest)) in cases {
            let expected = ImageRef { repository, tag, digest };
            assert_eq!(ImageRef::parse(text), expected, "{text:?}");
        }
    }
}
