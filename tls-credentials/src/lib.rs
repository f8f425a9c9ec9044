//! What secure connections rest on: certificates, keys, tokens and headers that the operator gives in
//! files, whom a client trusts, and why it does not trust a server.
//!
//! ```text
//! files         files that options name, read once
//! certificates  certificates in PEM, and the authorities that a client trusts
//! refusal       the sentence about a handshake that failed
//! ```

mod certificates;
mod files;
mod refusal;

pub use certificates::{authorities, certificates};
pub use files::{CredentialsError, GivenFile};
pub use refusal::{OptionNames, TlsRefusal};
