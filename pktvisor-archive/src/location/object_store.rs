//! The URL of an object store.

use std::fmt;
use std::str::FromStr;

use object_store::ObjectStoreScheme;
use reqwest::Url;

use super::LocationError;

/// The protocol that a store speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectStoreKind {
    /// Amazon S3, and the many stores that speak its protocol.
    S3,
    /// Google Cloud Storage.
    GoogleCloud,
    /// Azure Blob Storage and Data Lake.
    Azure,
    /// A web server with WebDAV (RFC 4918).
    WebDav,
}

impl ObjectStoreKind {
    /// What users call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::GoogleCloud => "Google Cloud Storage",
            Self::Azure => "Azure",
            Self::WebDav => "a WebDAV server",
        }
    }

    /// What it calls the place of objects.
    pub(crate) fn container(self) -> &'static str {
        match self {
            Self::S3 | Self::GoogleCloud => "bucket",
            Self::Azure => "container",
            Self::WebDav => "host",
        }
    }

    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::S3 => "s3://BUCKET/PREFIX",
            Self::GoogleCloud => "gs://BUCKET/PREFIX",
            Self::Azure => "az://CONTAINER/PREFIX or https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX",
            Self::WebDav => "https://HOST/PREFIX",
        }
    }

    /// The environment variables that most users set.
    pub(crate) fn key_variables(self) -> &'static str {
        match self {
            Self::S3 => "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            Self::GoogleCloud => "GOOGLE_APPLICATION_CREDENTIALS",
            Self::Azure => "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
            Self::WebDav => "WEBDAV_USERNAME and WEBDAV_PASSWORD",
        }
    }
}

/// A place in an object store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectStoreLocation {
    /// The protocol.
    pub kind: ObjectStoreKind,
    /// The URL of the bucket, the container or the server; no slash at its end.
    pub(crate) url: String,
    /// What the names of all objects begin with; empty or without a slash at its ends.
    pub(crate) prefix: String,
}

impl FromStr for ObjectStoreLocation {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let scheme = text.split("://").next().unwrap_or_default();
        let kind = kind_of_scheme(scheme)?;
        let mut url = Url::parse(text).map_err(|error| LocationError::Url(error.to_string()))?;
        if url.host_str().unwrap_or_default().is_empty() {
            return Err(LocationError::NoBucket(kind));
        }
        let parts: Vec<String> =
            url.path().split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        url.set_path(&parts.join("/"));
        let (scheme, prefix) =
            ObjectStoreScheme::parse(&url).map_err(|error| LocationError::Url(error.to_string()))?;
        let kind = match scheme {
            ObjectStoreScheme::AmazonS3 => ObjectStoreKind::S3,
            ObjectStoreScheme::GoogleCloudStorage => ObjectStoreKind::GoogleCloud,
            ObjectStoreScheme::MicrosoftAzure => ObjectStoreKind::Azure,
            _ => kind,
        };
        // The container of az://CONTAINER@ACCOUNT.dfs.core.windows.net is where others have a name.
        let has_name = !url.username().is_empty() && (kind != ObjectStoreKind::Azure || is_web(&url));
        if url.password().is_some() || has_name {
            return Err(LocationError::Password(kind));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(LocationError::Query(kind));
        }
        let of_container = parts.len() - prefix.parts_count();
        if is_web(&url) && kind == ObjectStoreKind::Azure && of_container == 0 {
            return Err(LocationError::NoBucket(kind));
        }
        url.set_path(&parts[..of_container].join("/"));
        let url = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { kind, url, prefix: prefix.into() })
    }
}

/// The clouds also have URLs that begin with https://, which only their hosts tell apart.
fn kind_of_scheme(scheme: &str) -> Result<ObjectStoreKind, LocationError> {
    match scheme {
        "s3" | "s3a" => Ok(ObjectStoreKind::S3),
        "gs" => Ok(ObjectStoreKind::GoogleCloud),
        "az" | "azure" | "adl" | "abfs" | "abfss" => Ok(ObjectStoreKind::Azure),
        "http" | "https" => Ok(ObjectStoreKind::WebDav),
        other => Err(LocationError::Scheme(other.escape_debug().to_string())),
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

impl ObjectStoreLocation {
    /// Whether the URL says which account of Azure it is.
    pub(crate) fn names_account(&self) -> bool {
        self.url.contains('@') || self.url.starts_with("https://")
    }
}

impl fmt::Display for ObjectStoreLocation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, prefix, .. } = self;
        if prefix.is_empty() { out.write_str(url) } else { write!(out, "{url}/{prefix}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ObjectStoreLocation, LocationError> {
        text.parse()
    }

    #[test]
    fn a_url_names_a_store_and_a_place_in_it() {
        use ObjectStoreKind::{Azure, GoogleCloud, S3, WebDav};
        for (text, kind, url, prefix) in [
            ("s3://b", S3, "s3://b", ""),
            ("s3://b//x/y/", S3, "s3://b", "x/y"),
            ("https://s3.eu-west-1.amazonaws.com/b/x", S3, "https://s3.eu-west-1.amazonaws.com/b", "x"),
            ("gs://my_bucket/x", GoogleCloud, "gs://my_bucket", "x"),
            ("az://c/x", Azure, "az://c", "x"),
            ("abfs://c@a.dfs.core.windows.net/x", Azure, "abfs://c@a.dfs.core.windows.net", "x"),
            ("abfss://c@a.dfs.core.windows.net", Azure, "abfss://c@a.dfs.core.windows.net", ""),
            ("https://a.blob.core.windows.net/c/x/y", Azure, "https://a.blob.core.windows.net/c", "x/y"),
            ("https://a.blob.core.windows.net/c", Azure, "https://a.blob.core.windows.net/c", ""),
            ("http://127.0.0.1:8080/x%20y/", WebDav, "http://127.0.0.1:8080", "x y"),
            ("https://host", WebDav, "https://host", ""),
        ] {
            let expected = ObjectStoreLocation { kind, url: url.to_owned(), prefix: prefix.to_owned() };
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_store_needs_a_bucket() {
        for (text, kind) in [
            ("s3:///x", ObjectStoreKind::S3),
            ("gs://", ObjectStoreKind::GoogleCloud),
            ("az:///x", ObjectStoreKind::Azure),
            ("https://a.blob.core.windows.net/", ObjectStoreKind::Azure),
        ] {
            assert_eq!(parse(text), Err(LocationError::NoBucket(kind)), "{text}");
        }
        assert!(matches!(parse("https://"), Err(LocationError::Url(_))));
    }

    #[test]
    fn keys_in_a_url_are_refused_and_not_repeated() {
        for text in [
            "https://me:secret@host/x",
            "https://secret@host/x",
            "s3://secret:secret@bucket/x",
            "abfss://container:secret@a.dfs.core.windows.net/x",
            "https://a.blob.core.windows.net/c?sig=secret",
            "gs://bucket/x#secret",
        ] {
            let error = parse(text).unwrap_err();
            assert!(matches!(error, LocationError::Password(_) | LocationError::Query(_)), "{error}");
            let message = error.to_string();
            assert!(!message.contains("secret") && message.contains(": set "), "{message}");
        }
    }

    #[test]
    fn the_account_is_in_the_long_urls_of_azure() {
        let names_account = |text| parse(text).unwrap().names_account();
        assert!(names_account("https://a.blob.core.windows.net/c"));
        assert!(names_account("abfss://c@a.dfs.core.windows.net"));
        assert!(!names_account("az://c/x"));
    }
}
