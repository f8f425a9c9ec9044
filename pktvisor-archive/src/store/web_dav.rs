//! What an archive on a WebDAV server (RFC 4918) needs and the client of object stores lacks.
//!
//! A server may show a file while it is being sent, and keep a part of it if the sender dies. So a file is sent under
//! another name, and gets its own by MOVE, which a server does by renaming.

use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
use object_store::path::Path;
use reqwest::header::HeaderValue;
use reqwest::{Method, Url};

use super::StoreError;

/// A server.
#[derive(Debug)]
pub(super) struct WebDav {
    client: HttpClient,
    url: Url,
}

impl WebDav {
    pub(super) fn new(url: &str, options: &ClientOptions) -> Result<Self, StoreError> {
        let url = Url::parse(url).map_err(|error| StoreError::Variable(error.to_string()))?;
        Ok(Self { client: ReqwestConnector::default().connect(options)?, url })
    }

    /// Gives a file its name, and replaces one that has it.
    pub(super) async fn rename(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        let failed = |reason: String| StoreError::Rename { path: to.to_string(), reason };
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = Method::from_bytes(b"MOVE").map_err(|error| failed(error.to_string()))?;
        *request.uri_mut() =
            self.url_of(from).parse().map_err(|_| failed("the name is not a URL".to_owned()))?;
        let destination =
            HeaderValue::try_from(self.url_of(to)).map_err(|error| failed(error.to_string()))?;
        request.headers_mut().insert("destination", destination);
        request.headers_mut().insert("overwrite", HeaderValue::from_static("T"));
        let response = self.client.execute(request).await.map_err(|error| failed(error.to_string()))?;
        let status = response.status();
        if status.is_success() {
            Ok(())
        } else {
            Err(failed(format!("the server answers MOVE with {status}")))
        }
    }

    fn url_of(&self, path: &Path) -> String {
        let mut url = self.url.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.clear().extend(path.parts().map(|part| part.as_ref().to_owned()));
        }
        url.into()
    }
}
