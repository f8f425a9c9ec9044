//! How many processors there can be.

use std::{fs, io};

use super::error::KernelError;

const POSSIBLE: &str = "/sys/devices/system/cpu/possible";

/// One more than the greatest number that a processor can have.
pub(super) fn count() -> Result<u32, KernelError> {
    let error = |source| KernelError::Processors { path: POSSIBLE, source };
    let list = fs::read_to_string(POSSIBLE).map_err(error)?;
    count_in(&list).ok_or_else(|| error(io::Error::from(io::ErrorKind::InvalidData)))
}

/// The list is one of ranges, ascending: `0-3,8-11`.
fn count_in(list: &str) -> Option<u32> {
    let last = list.trim().rsplit([',', '-']).next()?;
    last.parse::<u32>().ok()?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_number_counts_however_the_list_has_holes() {
        assert_eq!(count_in("0\n"), Some(1));
        assert_eq!(count_in("0-63\n"), Some(64));
        assert_eq!(count_in("0-3,8-11"), Some(12));
        assert_eq!(count_in("0,2,5"), Some(6));
        assert_eq!(count_in(""), None);
    }
}
