//! The clients of the object stores, with their keys and settings from the environment.

use std::path::PathBuf;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::{HttpBuilder, HttpStore};
use object_store::{ClientConfigKey, ClientOptions, RetryConfig};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::StoreError;
use crate::location::{ObjectStoreKind, ObjectStoreLocation};
use crate::variables::Variables;

/// How long one request may take. The archive repeats it later.
const REQUEST_TIMEOUT: &str = "20 seconds";
const CONNECT_TIMEOUT: &str = "5 seconds";

/// The variables that name another server than that of the cloud.
pub(crate) const S3_ENDPOINTS: &[&str] = &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
pub(crate) const AZURE_ENDPOINTS: &[&str] = &["AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"];

/// The variables with which the store of a kind needs no service of the cloud that has keys.
pub(crate) fn key_variables(kind: ObjectStoreKind) -> &'static [&'static str] {
    match kind {
        ObjectStoreKind::S3 => &["AWS_ACCESS_KEY_ID", "AWS_SKIP_SIGNATURE"],
        ObjectStoreKind::GoogleCloud => &["GOOGLE_BEARER_TOKEN"],
        ObjectStoreKind::Azure => &[
            "AZURE_STORAGE_ACCOUNT_KEY",
            "AZURE_STORAGE_ACCESS_KEY",
            "AZURE_STORAGE_MASTER_KEY",
            "AZURE_STORAGE_SAS_KEY",
            "AZURE_STORAGE_SAS_TOKEN",
            "AZURE_STORAGE_TOKEN",
            "AZURE_SKIP_SIGNATURE",
            "AZURE_STORAGE_USE_EMULATOR",
        ],
        ObjectStoreKind::WebDav => &["WEBDAV_USERNAME"],
    }
}

/// The variables with which such a service is reached over the network, not on this machine.
pub(crate) fn login_variables(kind: ObjectStoreKind) -> &'static [&'static str] {
    match kind {
        ObjectStoreKind::S3 => &[
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ],
        ObjectStoreKind::GoogleCloud => GOOGLE_FILES,
        ObjectStoreKind::Azure => {
            &["AZURE_CLIENT_SECRET", "AZURE_STORAGE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"]
        }
        ObjectStoreKind::WebDav => &[],
    }
}

/// The variables that name, or are, files with the keys of Google.
pub(crate) const GOOGLE_FILES: &[&str] = &[
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_PATH",
    "SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
];

/// Where gcloud leaves keys.
pub(crate) fn google_default_file(variables: &Variables) -> Option<PathBuf> {
    Some(PathBuf::from(variables.get("HOME")?).join(".config/gcloud/application_default_credentials.json"))
}

/// What to tell a user whose store refuses, if no variable has keys.
pub(super) fn missing_keys(kind: ObjectStoreKind, variables: &Variables) -> Option<String> {
    let has_keys =
        variables.first(key_variables(kind)).or_else(|| variables.first(login_variables(kind))).is_some();
    let has_file = || {
        kind == ObjectStoreKind::GoogleCloud
            && google_default_file(variables).is_some_and(|file| file.exists())
    };
    if has_keys || has_file() {
        return None;
    }
    let who = match kind {
        ObjectStoreKind::WebDav => "the server was asked without a name",
        _ => "keys were asked of the cloud's service for this machine",
    };
    let verb = if kind == ObjectStoreKind::GoogleCloud { "is" } else { "are" };
    Some(format!("{} {verb} not set, so {who}", kind.key_variables()))
}

pub(super) fn s3(url: &str, variables: &Variables) -> Result<AmazonS3, StoreError> {
    require_tls(variables.first(S3_ENDPOINTS), "AWS_ALLOW_HTTP", variables)?;
    let builder = AmazonS3Builder::new().with_retry(retry());
    let builder =
        settings(variables, "AWS_").fold(builder, |builder, (key, value)| builder.with_config(key, value));
    let builder = timeouts()
        .fold(builder, |builder, (key, value)| builder.with_config(AmazonS3ConfigKey::Client(key), value));
    Ok(builder.with_url(url).build()?)
}

pub(super) fn google_cloud(url: &str, variables: &Variables) -> Result<GoogleCloudStorage, StoreError> {
    let mut builder = GoogleCloudStorageBuilder::new().with_retry(retry());
    if let Some(path) = variables.get("SERVICE_ACCOUNT") {
        builder = builder.with_service_account_path(path);
    }
    let builder =
        settings(variables, "GOOGLE_").fold(builder, |builder, (key, value)| builder.with_config(key, value));
    let builder = timeouts()
        .fold(builder, |builder, (key, value)| builder.with_config(GoogleConfigKey::Client(key), value));
    Ok(builder.with_url(url).build()?)
}

pub(super) fn azure(
    location: &ObjectStoreLocation,
    variables: &Variables,
) -> Result<MicrosoftAzure, StoreError> {
    require_tls(variables.first(AZURE_ENDPOINTS), "AZURE_ALLOW_HTTP", variables)?;
    let mut builder = MicrosoftAzureBuilder::new().with_retry(retry());
    if let Some(endpoint) = variables.get("IDENTITY_ENDPOINT") {
        builder = builder.with_msi_endpoint(endpoint);
    }
    let builder =
        settings(variables, "AZURE_").fold(builder, |builder, (key, value)| builder.with_config(key, value));
    let has_account = builder.get_config_value(&AzureConfigKey::AccountName).is_some();
    if !has_account && !location.names_account() && !variables.is_on("AZURE_STORAGE_USE_EMULATOR") {
        return Err(StoreError::Variable(format!(
            "{location} does not name the account: set AZURE_STORAGE_ACCOUNT_NAME, or write \
             https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX"
        )));
    }
    let builder = timeouts()
        .fold(builder, |builder, (key, value)| builder.with_config(AzureConfigKey::Client(key), value));
    // It would run a program, which the agent must not.
    Ok(builder.with_use_azure_cli(false).with_url(&location.url).build()?)
}

pub(super) fn web_dav(url: &str, options: ClientOptions) -> Result<HttpStore, StoreError> {
    Ok(HttpBuilder::new().with_url(url).with_client_options(options).with_retry(retry()).build()?)
}

/// The settings of the connections to a WebDAV server, with the name and the password.
pub(super) fn web_dav_options(url: &str, variables: &Variables) -> Result<ClientOptions, StoreError> {
    require_tls(Some(("the URL of the archive", url)), "WEBDAV_ALLOW_HTTP", variables)?;
    let mut options =
        timeouts().fold(ClientOptions::new(), |options, (key, value)| options.with_config(key, value));
    if variables.is_on("WEBDAV_ALLOW_HTTP") {
        options = options.with_allow_http(true);
    }
    let Some(name) = variables.get("WEBDAV_USERNAME") else { return Ok(options) };
    let password = match (variables.get("WEBDAV_PASSWORD"), variables.get("WEBDAV_PASSWORD_FILE")) {
        (Some(password), _) => password.to_owned(),
        (None, Some(file)) => {
            let read = std::fs::read_to_string(file);
            let text = read.map_err(|error| {
                StoreError::Variable(format!("cannot read WEBDAV_PASSWORD_FILE {file}: {error}"))
            })?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        }
        (None, None) => {
            let missing = "WEBDAV_USERNAME is set, and neither WEBDAV_PASSWORD nor WEBDAV_PASSWORD_FILE";
            return Err(StoreError::Variable(missing.to_owned()));
        }
    };
    // RFC 7617.
    let credentials = BASE64_STANDARD.encode(format!("{name}:{password}"));
    let mut value = HeaderValue::try_from(format!("Basic {credentials}"))
        .map_err(|_| StoreError::Variable("WEBDAV_USERNAME or the password cannot be sent".to_owned()))?;
    value.set_sensitive(true);
    Ok(options.with_default_headers(HeaderMap::from_iter([(AUTHORIZATION, value)])))
}

/// The variables of a store that its client knows.
fn settings<'a, K: FromStr>(variables: &'a Variables, start: &'a str) -> impl Iterator<Item = (K, &'a str)> {
    variables
        .beginning_with(start)
        .filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value)))
}

fn timeouts() -> impl Iterator<Item = (ClientConfigKey, &'static str)> {
    [(ClientConfigKey::Timeout, REQUEST_TIMEOUT), (ClientConfigKey::ConnectTimeout, CONNECT_TIMEOUT)]
        .into_iter()
}

/// The archive repeats by itself, and a roll-up can be repeated.
fn retry() -> RetryConfig {
    RetryConfig { max_retries: 1, ..RetryConfig::default() }
}

/// Refuses a server whose connections others can read, unless the user wants that.
fn require_tls(server: Option<(&str, &str)>, switch: &str, variables: &Variables) -> Result<(), StoreError> {
    match server {
        Some((name, url)) if url.starts_with("http://") && !variables.is_on(switch) => {
            Err(StoreError::Variable(format!(
                "{name} begins with http://, which is not encrypted: set {switch}=true to allow it"
            )))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
