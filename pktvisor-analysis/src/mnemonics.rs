//! What numbers of the DNS are called: response codes and record types.

use std::borrow::Cow;

/// The name of a response code, extended ones included (RFC 6895 section 2.3), as pktvisor 3.0 spelled them:
/// SRVFAIL and NOTIMP are its words for SERVFAIL and NOTIMP. What has no name is given in decimal.
pub fn rcode_name(rcode: u16) -> Cow<'static, str> {
    Cow::Borrowed(match rcode {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SRVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        11 => "DSOTYPENI",
        16 => "BADVERS",
        17 => "BADKEY",
        18 => "BADTIME",
        19 => "BADMODE",
        20 => "BADNAME",
        21 => "BADALG",
        22 => "BADTRUNC",
        23 => "BADCOOKIE",
        _ => return Cow::Owned(rcode.to_string()),
    })
}

/// The name of a record type as IANA registers it
/// (<https://www.iana.org/assignments/dns-parameters/dns-parameters.xhtml#dns-parameters-4>), ANY for 255 as everyone
/// says, TYPEnnn for what has no name (RFC 3597 section 5).
pub fn qtype_name(qtype: u16) -> Cow<'static, str> {
    match assigned_type(qtype).or_else(|| special_type(qtype)) {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Owned(format!("TYPE{qtype}")),
    }
}

/// Data types below 128.
fn assigned_type(qtype: u16) -> Option<&'static str> {
    Some(match qtype {
        1 => "A",
        2 => "NS",
        3 => "MD",
        4 => "MF",
        5 => "CNAME",
        6 => "SOA",
        7 => "MB",
        8 => "MG",
        9 => "MR",
        10 => "NULL",
        11 => "WKS",
        12 => "PTR",
        13 => "HINFO",
        14 => "MINFO",
        15 => "MX",
        16 => "TXT",
        17 => "RP",
        18 => "AFSDB",
        19 => "X25",
        20 => "ISDN",
        21 => "RT",
        22 => "NSAP",
        23 => "NSAP-PTR",
        24 => "SIG",
        25 => "KEY",
        26 => "PX",
        27 => "GPOS",
        28 => "AAAA",
        29 => "LOC",
        30 => "NXT",
        31 => "EID",
        32 => "NIMLOC",
        33 => "SRV",
        34 => "ATMA",
        35 => "NAPTR",
        36 => "KX",
        37 => "CERT",
        38 => "A6",
        39 => "DNAME",
        40 => "SINK",
        41 => "OPT",
        42 => "APL",
        43 => "DS",
        44 => "SSHFP",
        45 => "IPSECKEY",
        46 => "RRSIG",
        47 => "NSEC",
        48 => "DNSKEY",
        49 => "DHCID",
        50 => "NSEC3",
        51 => "NSEC3PARAM",
        52 => "TLSA",
        53 => "SMIMEA",
        55 => "HIP",
        56 => "NINFO",
        57 => "RKEY",
        58 => "TALINK",
        59 => "CDS",
        60 => "CDNSKEY",
        61 => "OPENPGPKEY",
        62 => "CSYNC",
        63 => "ZONEMD",
        64 => "SVCB",
        65 => "HTTPS",
        66 => "DSYNC",
        67 => "HHIT",
        68 => "BRID",
        99 => "SPF",
        100 => "UINFO",
        101 => "UID",
        102 => "GID",
        103 => "UNSPEC",
        104 => "NID",
        105 => "L32",
        106 => "L64",
        107 => "LP",
        108 => "EUI48",
        109 => "EUI64",
        _ => return None,
    })
}

/// Query and meta types, and what is numbered behind them.
fn special_type(qtype: u16) -> Option<&'static str> {
    Some(match qtype {
        128 => "NXNAME",
        249 => "TKEY",
        250 => "TSIG",
        251 => "IXFR",
        252 => "AXFR",
        253 => "MAILB",
        254 => "MAILA",
        255 => "ANY",
        256 => "URI",
        257 => "CAA",
        258 => "AVC",
        259 => "DOA",
        260 => "AMTRELAY",
        261 => "RESINFO",
        262 => "WALLET",
        263 => "CLA",
        264 => "IPN",
        32768 => "TA",
        32769 => "DLV",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_codes_are_spelled_as_pktvisor_3_did() {
        let names = [
            (0, "NOERROR"),
            (2, "SRVFAIL"),
            (3, "NXDOMAIN"),
            (4, "NOTIMP"),
            (5, "REFUSED"),
            (11, "DSOTYPENI"),
        ];
        for (rcode, name) in names {
            assert_eq!(rcode_name(rcode), name);
        }
    }

    #[test]
    fn extended_response_codes_have_names_and_unassigned_ones_are_decimal() {
        assert_eq!(rcode_name(16), "BADVERS");
        assert_eq!(rcode_name(23), "BADCOOKIE");
        assert_eq!(rcode_name(12), "12");
        assert_eq!(rcode_name(4095), "4095");
    }

    #[test]
    fn types_are_named_as_iana_registers_them() {
        let names = [(1, "A"), (28, "AAAA"), (64, "SVCB"), (65, "HTTPS"), (128, "NXNAME"), (255, "ANY")];
        for (qtype, name) in names {
            assert_eq!(qtype_name(qtype), name);
        }
        assert_eq!(qtype_name(261), "RESINFO");
        assert_eq!(qtype_name(32769), "DLV");
    }

    #[test]
    fn types_without_a_name_are_written_as_rfc_3597_says() {
        for qtype in [0, 54, 98, 127, 248, 265, 65280, 65535] {
            assert_eq!(qtype_name(qtype), format!("TYPE{qtype}"));
        }
    }

    #[test]
    fn type_names_agree_with_the_domain_crate_where_it_knows_them() {
        for qtype in 0..=u16::MAX {
            let theirs = domain::base::iana::Rtype::from_int(qtype).to_string();
            // domain is older than some registrations, and writes no hyphens.
            if !theirs.starts_with("TYPE") {
                assert_eq!(qtype_name(qtype).replace('-', ""), theirs, "{qtype}");
            }
        }
    }
}
