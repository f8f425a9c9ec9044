//! What the object store of an environment needs of a restricted process.

use std::path::{Path, PathBuf};

use crate::location::{ObjectStoreKind, ObjectStoreLocation};
use crate::store::clients::{
    AZURE_ENDPOINTS, GOOGLE_FILES, S3_ENDPOINTS, google_default_file, key_variables, login_variables,
};
use crate::variables::Variables;

/// The ports of the stores, and of the services that have their keys.
const HTTP: u16 = 80;
const HTTPS: u16 = 443;

/// Where Azure's emulator is, unless a variable says otherwise.
const AZURE_EMULATOR: u16 = 10_000;

/// Where certificates of authorities are on the common distributions.
const CERTIFICATES: [&str; 4] =
    ["/etc/ssl", "/etc/pki", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"];

/// The variables that name proxies.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// TCP ports and files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    /// Ports to which the archive connects.
    pub ports: Vec<u16>,
    /// Files and directories that it reads.
    pub files: Vec<PathBuf>,
}

/// The ports and files of a store with these environment variables.
pub fn services(location: &ObjectStoreLocation, variables: &Variables) -> Services {
    let kind = location.kind;
    let mut ports = vec![port_of_store(location, variables)];
    if variables.first(key_variables(kind)).is_none() && kind != ObjectStoreKind::WebDav {
        ports.extend(ports_of_keys(kind, variables));
    }
    ports.extend(PROXIES.iter().filter_map(|name| variables.get(name)).map(port));
    ports.sort_unstable();
    ports.dedup();
    let mut files: Vec<PathBuf> = CERTIFICATES.iter().map(PathBuf::from).collect();
    files.extend(
        ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().filter_map(|name| variables.get(name)).map(PathBuf::from),
    );
    files.extend(key_files(kind, variables));
    Services { ports, files }
}

fn port_of_store(location: &ObjectStoreLocation, variables: &Variables) -> u16 {
    let of_variable = |names: &[&str]| variables.first(names).map(|(_, url)| port(url));
    match location.kind {
        ObjectStoreKind::S3 => of_variable(S3_ENDPOINTS),
        ObjectStoreKind::GoogleCloud => of_variable(&["GOOGLE_BASE_URL"]),
        ObjectStoreKind::Azure if variables.is_on("AZURE_STORAGE_USE_EMULATOR") => {
            of_variable(&["AZURITE_BLOB_STORAGE_URL"]).or(Some(AZURE_EMULATOR))
        }
        ObjectStoreKind::Azure => of_variable(AZURE_ENDPOINTS),
        ObjectStoreKind::WebDav => Some(port(&location.url)),
    }
    .unwrap_or(HTTPS)
}

/// The ports of the services that have keys: the cloud's, and those of the machine or container.
fn ports_of_keys(kind: ObjectStoreKind, variables: &Variables) -> Vec<u16> {
    let has_login = variables.first(login_variables(kind)).is_some();
    let of_machine = match kind {
        ObjectStoreKind::S3 => vec![HTTP],
        _ if has_login => Vec::new(),
        ObjectStoreKind::GoogleCloud => {
            // Names of hosts, not URLs.
            let hosts = variables.first(&["GCE_METADATA_HOST", "GCE_METADATA_ROOT"]).into_iter();
            let hosts = hosts.chain(variables.first(&["GCE_METADATA_IP"]));
            std::iter::once(HTTP).chain(hosts.map(|(_, host)| port(&format!("http://{host}")))).collect()
        }
        _ => variables
            .first(&["AZURE_MSI_ENDPOINT", "AZURE_IDENTITY_ENDPOINT", "IDENTITY_ENDPOINT"])
            .map_or(vec![HTTP], |(_, url)| vec![port(url)]),
    };
    let authority = variables.first(&["AZURE_AUTHORITY_HOST", "AZURE_STORAGE_AUTHORITY_HOST"]);
    let authority = authority.filter(|_| kind == ObjectStoreKind::Azure).map_or(HTTPS, |(_, url)| port(url));
    [vec![authority], of_machine].concat()
}

/// Files with keys.
fn key_files(kind: ObjectStoreKind, variables: &Variables) -> Vec<PathBuf> {
    let file = |name: &&str| variables.get(name).map(PathBuf::from);
    // The directory, because another file takes the name.
    let directory = |name: &&str| Some(Path::new(variables.get(name)?).parent()?.to_owned());
    match kind {
        ObjectStoreKind::S3 => ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]
            .iter()
            .filter_map(directory)
            .collect(),
        ObjectStoreKind::GoogleCloud => {
            let is_file = |name: &&&str| !name.ends_with("_KEY");
            let files = GOOGLE_FILES.iter().filter(is_file).filter_map(file);
            files.chain(google_default_file(variables).filter(|file| file.exists())).collect()
        }
        ObjectStoreKind::Azure => ["AZURE_FEDERATED_TOKEN_FILE"].iter().filter_map(directory).collect(),
        ObjectStoreKind::WebDav => ["WEBDAV_PASSWORD_FILE"].iter().filter_map(file).collect(),
    }
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

    fn with(url: &str, set: &[(&str, &str)]) -> Services {
        let variables: Variables =
            set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        services(&url.parse().unwrap(), &variables)
    }

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
        let ports = |url: &str, set: &[(&str, &str)]| with(url, set).ports;
        assert_eq!(ports("s3://b", &[("AWS_ACCESS_KEY_ID", "x")]), [443]);
        assert_eq!(
            ports("s3://b", &[("AWS_ENDPOINT_URL", "http://a:9000"), ("AWS_ACCESS_KEY_ID", "x")]),
            [9000]
        );
        assert_eq!(ports("s3://b", &[("AWS_ENDPOINT_URL", "http://a:9000")]), [80, 443, 9000]);
        assert_eq!(ports("gs://b", &[]), [80, 443]);
        assert_eq!(ports("gs://b", &[("GOOGLE_APPLICATION_CREDENTIALS", "/k.json")]), [443]);
        assert_eq!(
            ports("gs://b", &[("GOOGLE_BASE_URL", "http://a:4443"), ("GOOGLE_BEARER_TOKEN", "none")]),
            [4443]
        );
        assert_eq!(ports("az://c", &[]), [80, 443]);
        assert_eq!(ports("az://c", &[("AZURE_STORAGE_ACCOUNT_KEY", "x")]), [443]);
        assert_eq!(ports("az://c", &[("AZURE_STORAGE_USE_EMULATOR", "true")]), [10_000]);
        assert_eq!(ports("az://c", &[("IDENTITY_ENDPOINT", "http://a:42/x")]), [42, 443]);
        assert_eq!(ports("https://host:8443/x", &[]), [8443]);
        assert_eq!(ports("https://host/x", &[("HTTPS_PROXY", "http://proxy:3128")]), [443, 3128]);
    }

    #[test]
    fn files_with_keys_can_be_read() {
        let reads =
            |url: &str, set: &[(&str, &str)], file: &str| with(url, set).files.contains(&PathBuf::from(file));
        assert!(reads("s3://b", &[("AWS_WEB_IDENTITY_TOKEN_FILE", "/run/aws/token")], "/run/aws"));
        assert!(reads("gs://b", &[("GOOGLE_APPLICATION_CREDENTIALS", "/etc/k.json")], "/etc/k.json"));
        assert!(!reads("gs://b", &[("GOOGLE_SERVICE_ACCOUNT_KEY", "{}")], "{}"));
        assert!(reads("az://c", &[("AZURE_FEDERATED_TOKEN_FILE", "/run/az/token")], "/run/az"));
        assert!(reads("https://h", &[("WEBDAV_PASSWORD_FILE", "/run/password")], "/run/password"));
        assert!(!reads("s3://b", &[("WEBDAV_PASSWORD_FILE", "/run/password")], "/run/password"));
    }
}
