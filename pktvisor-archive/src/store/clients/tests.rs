use super::*;

fn variables(set: &[(&str, &str)]) -> Variables {
    set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Why the store of this URL cannot be opened with these variables.
fn refusal(url: &str, set: &[(&str, &str)]) -> String {
    let location = crate::location::ArchiveLocation::ObjectStore(url.parse().unwrap());
    super::super::ArchiveStore::open_with(&location, &variables(set)).unwrap_err().to_string()
}

#[test]
fn a_missing_variable_is_named() {
    for (url, set, name) in [
        ("az://c/x", &[("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")][..], "AZURE_STORAGE_ACCOUNT_NAME"),
        ("https://host/x", &[("WEBDAV_USERNAME", "me")], "WEBDAV_PASSWORD"),
        (
            "https://host/x",
            &[("WEBDAV_USERNAME", "me"), ("WEBDAV_PASSWORD_FILE", "/nonexistent")],
            "/nonexistent",
        ),
        ("http://host/x", &[], "WEBDAV_ALLOW_HTTP=true"),
        ("s3://b", &[("AWS_ENDPOINT_URL", "http://host:9000")], "AWS_ALLOW_HTTP=true"),
        ("az://c", &[("AZURE_STORAGE_ENDPOINT", "http://host")], "AZURE_ALLOW_HTTP=true"),
        ("gs://b", &[("GOOGLE_SERVICE_ACCOUNT", "/nonexistent")], "/nonexistent"),
    ] {
        let message = refusal(url, set);
        assert!(message.contains(name), "{url}: {message}");
        assert!(!message.contains('\n'), "{message}");
    }
}

#[test]
fn a_store_opens_with_its_variables() {
    for (url, set) in [
        ("s3://b/x", &[("AWS_ENDPOINT_URL", "http://host:9000"), ("AWS_ALLOW_HTTP", "true")][..]),
        ("gs://b/x", &[("GOOGLE_BASE_URL", "http://host:9000"), ("GOOGLE_BEARER_TOKEN", "none")]),
        ("az://c/x", &[("AZURE_STORAGE_ACCOUNT_NAME", "a"), ("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")]),
        ("https://a.blob.core.windows.net/c/x", &[("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")]),
        ("abfss://c@a.dfs.core.windows.net/x", &[("AZURE_STORAGE_SAS_TOKEN", "sv=1&sig=x")]),
        ("https://host/x", &[("WEBDAV_USERNAME", "me"), ("WEBDAV_PASSWORD", "secret")]),
    ] {
        let location = crate::location::ArchiveLocation::ObjectStore(url.parse().unwrap());
        let store = super::super::ArchiveStore::open_with(&location, &variables(set));
        let store = store.unwrap_or_else(|error| panic!("{url}: {error}"));
        assert!(!format!("{store:?}").contains("secret"), "{store:?}");
    }
}

#[test]
fn a_store_that_refuses_without_keys_names_their_variables() {
    for (kind, set) in [
        (ObjectStoreKind::S3, ("AWS_ACCESS_KEY_ID", "x")),
        (ObjectStoreKind::GoogleCloud, ("GOOGLE_APPLICATION_CREDENTIALS", "x")),
        (ObjectStoreKind::Azure, ("AZURE_STORAGE_SAS_KEY", "x")),
        (ObjectStoreKind::WebDav, ("WEBDAV_USERNAME", "x")),
    ] {
        let hint = missing_keys(kind, &Variables::default()).unwrap();
        assert!(hint.contains(kind.key_variables()), "{hint}");
        assert_eq!(missing_keys(kind, &variables(&[set])), None);
    }
}
