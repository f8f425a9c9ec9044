//! The names of response codes and record types: those of `domain`, except where pktvisor 3.0 or
//! IANA spells one differently.

use std::borrow::Cow;

use domain::base::iana::{OptRcode, Rtype, TsigRcode};

/// The name of a response code, including extended ones (RFC 6895 section 2.3), as pktvisor 3.0
/// spelled it: it wrote SRVFAIL for SERVFAIL. A code without a name is written in decimal.
pub fn rcode_name(rcode: u16) -> Cow<'static, str> {
    let name = match rcode {
        2 => Some("SRVFAIL"),
        // RFC 8490 section 5.4.
        11 => Some("DSOTYPENI"),
        // TSIG's codes (RFC 8945 section 3), which `domain` keeps apart because they overlap with
        // those of EDNS at 16.
        17..=22 => TsigRcode::from_int(rcode).to_mnemonic_str(),
        // Not `checked_from_int`, which in domain 0.12.3 rejects every code but 0.
        0..=0xfff => OptRcode::masked_from_int(rcode).to_mnemonic_str(),
        _ => None,
    };
    name.map_or_else(|| Cow::Owned(rcode.to_string()), Cow::Borrowed)
}

/// The name of a record type as IANA registers it
/// (<https://www.iana.org/assignments/dns-parameters/dns-parameters.xhtml#dns-parameters-4>), ANY
/// for 255, and TYPEnnn for a type without a name (RFC 3597 section 5).
pub fn qtype_name(qtype: u16) -> Cow<'static, str> {
    let name = match Rtype::from_int(qtype) {
        // `domain` writes no hyphens.
        Rtype::NSAPPTR => Some("NSAP-PTR"),
        rtype => rtype.to_mnemonic_str(),
    };
    name.map_or_else(|| Cow::Owned(format!("TYPE{qtype}")), Cow::Borrowed)
}

/// The name of an operation code as IANA registers it (RFC 6895 section 2.2), or its number.
pub fn opcode_name(opcode: u8) -> Cow<'static, str> {
    let name = match opcode {
        0 => "QUERY",
        1 => "IQUERY",
        2 => "STATUS",
        4 => "NOTIFY",
        5 => "UPDATE",
        6 => "DSO",
        _ => return Cow::Owned(opcode.to_string()),
    };
    Cow::Borrowed(name)
}

/// The name of a class (RFC 6895 section 3.2), and CLASSnnn for one without a name (RFC 3597
/// section 5).
pub fn qclass_name(qclass: u16) -> Cow<'static, str> {
    let name = match qclass {
        1 => "IN",
        3 => "CH",
        4 => "HS",
        254 => "NONE",
        255 => "ANY",
        _ => return Cow::Owned(format!("CLASS{qclass}")),
    };
    Cow::Borrowed(name)
}

/// The purposes of the extended DNS errors 0 to 30
/// (<https://www.iana.org/assignments/dns-parameters/dns-parameters.xhtml#extended-dns-error-codes>).
const EXTENDED_ERRORS: [&str; 31] = [
    "Other",
    "Unsupported DNSKEY Algorithm",
    "Unsupported DS Digest Type",
    "Stale Answer",
    "Forged Answer",
    "DNSSEC Indeterminate",
    "DNSSEC Bogus",
    "Signature Expired",
    "Signature Not Yet Valid",
    "DNSKEY Missing",
    "RRSIGs Missing",
    "No Zone Key Bit Set",
    "NSEC Missing",
    "Cached Error",
    "Not Ready",
    "Blocked",
    "Censored",
    "Filtered",
    "Prohibited",
    "Stale NXDOMAIN Answer",
    "Not Authoritative",
    "Not Supported",
    "No Reachable Authority",
    "Network Error",
    "Invalid Data",
    "Signature Expired before Valid",
    "Too Early",
    "Unsupported NSEC3 Iterations Value",
    "Unable to conform to policy",
    "Synthesized",
    "Invalid Query Type",
];

/// The purpose of an extended DNS error (RFC 8914 section 4) as IANA registers it, or its number.
pub fn extended_error_name(code: u16) -> Cow<'static, str> {
    let name = EXTENDED_ERRORS.get(usize::from(code)).copied();
    name.map_or_else(|| Cow::Owned(code.to_string()), Cow::Borrowed)
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
        let names = [
            (1, "A"),
            (23, "NSAP-PTR"),
            (28, "AAAA"),
            (64, "SVCB"),
            (65, "HTTPS"),
            (66, "DSYNC"),
            (128, "NXNAME"),
            (255, "ANY"),
            (261, "RESINFO"),
            (264, "IPN"),
            (32769, "DLV"),
        ];
        for (qtype, name) in names {
            assert_eq!(qtype_name(qtype), name);
        }
    }

    #[test]
    fn types_without_a_name_are_written_as_rfc_3597_says() {
        for qtype in [0, 54, 98, 127, 248, 265, 65280, 65535] {
            assert_eq!(qtype_name(qtype), format!("TYPE{qtype}"));
        }
    }

    #[test]
    fn opcodes_classes_and_extended_errors_have_names_or_numbers() {
        assert_eq!((opcode_name(5), opcode_name(3)), ("UPDATE".into(), "3".into()));
        assert_eq!((qclass_name(1), qclass_name(2)), ("IN".into(), "CLASS2".into()));
        assert_eq!(extended_error_name(22), "No Reachable Authority");
        assert_eq!(
            (extended_error_name(30), extended_error_name(31)),
            ("Invalid Query Type".into(), "31".into())
        );
    }
}
