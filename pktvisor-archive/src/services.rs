//! What the object store of an environment needs of a restricted process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The ports of the store, and of the services that have its keys.
const HTTP: u16 = 80;
const HTTPS: u16 = 443;

/// Where certificates of authorities are on the common distributions.
const CERTIFICATES: [&str; 4] =
    ["/etc/ssl", "/etc/pki", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"];

/// Variables that name files with keys, which others replace.
const KEY_FILES: [&str; 2] = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];

/// TCP ports and files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    /// Ports to which the archive connects.
    pub ports: Vec<u16>,
    /// Files and directories that it reads.
    pub files: Vec<PathBuf>,
}

/// The ports and files of the store that these environment variables describe.
pub fn services(variable: impl Fn(&str) -> Option<OsString>) -> Services {
    let text = |name: &str| variable(name)?.into_string().ok().filter(|value| !value.is_empty());
    let endpoint = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"].into_iter().find_map(text);
    let mut ports = vec![endpoint.as_deref().map_or(HTTPS, port)];
    if text("AWS_ACCESS_KEY_ID").is_none() {
        // Amazon's token service, and the metadata of the machine or container.
        ports.extend([HTTPS, HTTP]);
    }
    ports.sort_unstable();
    ports.dedup();
    let mut files: Vec<PathBuf> = CERTIFICATES.iter().map(PathBuf::from).collect();
    files.extend(["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().filter_map(text).map(PathBuf::from));
    // The directory, because another file takes the name.
    let directory = |file: String| Path::new(&file).parent().map(Path::to_owned);
    files.extend(KEY_FILES.into_iter().filter_map(text).filter_map(directory));
    Services { ports, files }
}

/// The port of a URL.
fn port(url: &str) -> u16 {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let default = if scheme.eq_ignore_ascii_case("http") { HTTP } else { HTTPS };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    // The colons in the brackets of an IPv6 address are not in front of a port.
    match host.rsplit_once(':') {
        Some((_, port)) if !port.contains(']') => port.parse().unwrap_or(default),
        _ => default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_that_of_the_endpoint() {
        for (url, expected) in [
            ("http://127.0.0.1:9000", 9000),
            ("http://[::1]:9000/x", 9000),
            ("http://[::1]", 80),
            ("https://s3.example", 443),
            ("https://user@s3.example:8443/", 8443),
        ] {
            assert_eq!(port(url), expected, "{url}");
        }
    }

    #[test]
    fn without_keys_the_services_that_have_them_are_reached() {
        let with = |set: &'static [(&str, &str)]| {
            services(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())).ports
        };
        assert_eq!(with(&[("AWS_ACCESS_KEY_ID", "x")]), [443]);
        assert_eq!(with(&[("AWS_ENDPOINT_URL", "http://a:9000"), ("AWS_ACCESS_KEY_ID", "x")]), [9000]);
        assert_eq!(with(&[("AWS_ENDPOINT_URL", "http://a:9000")]), [80, 443, 9000]);
    }
}
