//! Makes the structs of the JSON from the declarations of [`pktvisor_definitions`].

/// Makes the struct of a group: one field for each row, with the row's meaning as its documentation
/// and OpenAPI description.
macro_rules! report {
    ($(#[$about:meta])* $path:literal: $report:ident / $record:ident $(, kernel $kernel:ident)? { $($rows:tt)* }) => {
        report! { @rows [$(#[$about])*] $report {} $($rows)* }
    };
    (@rows $about:tt $name:ident { $($done:tt)* } $(#[$help:meta])+ $field:ident $(as $json:tt)?:
        List($($of:tt)*) $(=> $family:tt)?; $($rest:tt)*) => {
        report! { @rows $about $name {
            $($done)* $(#[$help])+ $(#[serde(rename = $json)])? pub $field: Vec<$crate::TopEntry>,
        } $($rest)* }
    };
    (@rows $about:tt $name:ident { $($done:tt)* } $(#[$help:meta])+ $field:ident: Quantiles($($of:tt)*);
        $($rest:tt)*) => {
        report! { @quantiles $about $name { $($done)* } [$(#[$help])+] $field $($rest)* }
    };
    (@rows $about:tt $name:ident { $($done:tt)* } $(#[$help:meta])+ $field:ident: Times($($of:tt)*);
        $($rest:tt)*) => {
        report! { @quantiles $about $name { $($done)* } [$(#[$help])+] $field $($rest)* }
    };
    // An empty group of quantiles is left out, as each of its quantiles would be.
    (@rows $about:tt $name:ident { $($done:tt)* } $(#[$help:meta])+ $field:ident:
        Group(PacketRates, $record:ident); $($rest:tt)*) => {
        report! { @rows $about $name {
            $($done)* $(#[$help])+ #[serde(skip_serializing_if = "PacketRates::is_empty")] pub $field: PacketRates,
        } $($rest)* }
    };
    (@rows $about:tt $name:ident { $($done:tt)* } $(#[$help:meta])+ $field:ident $(as $json:tt)?:
        Group($report:ident, $record:ident); $($rest:tt)*) => {
        report! { @rows $about $name {
            $($done)* $(#[$help])+ $(#[serde(rename = $json)])? pub $field: $report,
        } $($rest)* }
    };
    (@rows $about:tt $name:ident { $($done:tt)* } $(#[$help:meta])+ $field:ident: Sizes($unit:ident, $n:literal);
        $($rest:tt)*) => {
        report! { @rows $about $name { $($done)* $(#[$help])+ pub $field: [u64; $n], } $($rest)* }
    };
    (@rows $about:tt $name:ident { $($done:tt)* } $(#[$help:meta])+ $field:ident $(as $json:tt)?:
        $number:ident($($of:tt)*) $(=> $family:tt)?; $($rest:tt)*) => {
        report! { @rows $about $name {
            $($done)* $(#[$help])+ $(#[serde(rename = $json)])? pub $field: u64,
        } $($rest)* }
    };
    (@rows [$(#[$about:meta])*] $name:ident { $($fields:tt)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(default)]
        pub struct $name { $($fields)* }
    };
    (@quantiles $about:tt $name:ident { $($done:tt)* } [$(#[$help:meta])+] $field:ident $($rest:tt)*) => {
        report! { @rows $about $name {
            $($done)* $(#[$help])+ #[serde(skip_serializing_if = "Option::is_none")]
            pub $field: Option<$crate::Quantiles>,
        } $($rest)* }
    };
}

pub(super) use report;
