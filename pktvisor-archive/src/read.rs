//! Reads a row back, from a file that may be broken or hostile.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::SchemaDescriptor;
use pktvisor_api::{ExponentialBucket, ExponentialHistogram};

use crate::layout::{LAYOUT, ListColumn};
use crate::row::{ArchiveRow, ArchivedEntry, ArchivedList};
use crate::sketch;
use crate::write::{FORMAT, FORMAT_KEY};

/// The greatest size of a file that is read.
pub(crate) const FILE_BYTES_MAX: usize = 64 << 20;
/// The most values in a column.
const VALUES_MAX: i64 = 1 << 20;
/// The greatest size of a column without compression.
const COLUMN_BYTES_MAX: i64 = 256 << 20;

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum BrokenFile {
    /// Not Parquet, or damaged.
    #[error("it is not an intact Parquet file: {0}")]
    Parquet(#[from] ParquetError),
    /// The Parquet library failed on it.
    #[error("it is not an intact Parquet file")]
    Damaged,
    /// Parquet, but of something else.
    #[error("it is not a file of an archive: {0}")]
    Foreign(String),
    /// Of a newer version.
    #[error("it is of a newer version of pktvisor: {0}")]
    Newer(String),
}

/// The row of a file.
///
/// # Errors
///
/// The file is damaged, of something else, or of a newer version, whose columns a merge would lose.
pub fn decode(file: Bytes) -> Result<ArchiveRow, BrokenFile> {
    if file.len() > FILE_BYTES_MAX {
        return Err(BrokenFile::Foreign(format!("it has more than {FILE_BYTES_MAX} bytes")));
    }
    // The library is not known to panic, but a file from outside must not end the process.
    catch_unwind(AssertUnwindSafe(|| read(file))).unwrap_or(Err(BrokenFile::Damaged))
}

fn read(file: Bytes) -> Result<ArchiveRow, BrokenFile> {
    let reader = SerializedFileReader::new(file)?;
    let metadata = reader.metadata();
    let pairs = metadata.file_metadata().key_value_metadata();
    let format = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == FORMAT_KEY));
    match format.and_then(|pair| pair.value.as_deref()) {
        Some(FORMAT) => {}
        Some(other) => return Err(BrokenFile::Newer(format!("its format is {}", other.escape_debug()))),
        None => return Err(BrokenFile::Foreign(format!("its metadata lack {FORMAT_KEY}"))),
    }
    let rows: i64 =
        metadata.row_groups().iter().map(parquet::file::metadata::RowGroupMetaData::num_rows).sum();
    if rows != 1 || metadata.num_row_groups() != 1 {
        return Err(BrokenFile::Foreign(format!("it has {rows} rows instead of one")));
    }
    let group = reader.get_row_group(0)?;
    for column in group.metadata().columns() {
        if !(0..=VALUES_MAX).contains(&column.num_values())
            || !(0..=COLUMN_BYTES_MAX).contains(&column.uncompressed_size())
        {
            let name = column.column_path().string();
            return Err(BrokenFile::Foreign(format!("its column {} is too large", name.escape_debug())));
        }
    }
    let columns = ColumnReaders::new(group.as_ref(), metadata.file_metadata().schema_descr())?;
    let row = columns.row()?;
    sketch::check(&row).map_err(BrokenFile::Foreign)?;
    Ok(row)
}

/// The columns of a file by name.
struct ColumnReaders<'a> {
    group: &'a dyn RowGroupReader,
    places: HashMap<String, usize>,
}

impl<'a> ColumnReaders<'a> {
    /// Every column must be one that is known, of the same type. Columns that are known may be
    /// missing: an older version did not have them.
    fn new(group: &'a dyn RowGroupReader, schema: &SchemaDescriptor) -> Result<Self, BrokenFile> {
        let known = parse_message_type(&LAYOUT.message_type())?;
        let known = SchemaDescriptor::new(std::sync::Arc::new(known));
        let known: HashMap<String, _> =
            known.columns().iter().map(|column| (column.path().string(), column.clone())).collect();
        let mut places = HashMap::new();
        for (place, column) in schema.columns().iter().enumerate() {
            let path = column.path().string();
            let Some(expected) = known.get(&path) else {
                return Err(BrokenFile::Newer(format!("its column {} is unknown", path.escape_debug())));
            };
            let is_same = column.physical_type() == expected.physical_type()
                && column.max_def_level() == expected.max_def_level()
                && column.max_rep_level() == expected.max_rep_level();
            if !is_same {
                return Err(BrokenFile::Foreign(format!("its column {path} has another type")));
            }
            places.insert(path, place);
        }
        for needed in ["agent", "period_start", "period_end", "length_s"] {
            if !places.contains_key(needed) {
                return Err(BrokenFile::Foreign(format!("it has no column {needed}")));
            }
        }
        Ok(Self { group, places })
    }

    fn row(&self) -> Result<ArchiveRow, BrokenFile> {
        let distinct = LAYOUT.distinct.iter().map(|column| self.image(&column.name));
        Ok(ArchiveRow {
            agent: self.texts("agent")?.pop().unwrap_or_default(),
            start_us: self.one::<Int64Type>("period_start")?,
            end_us: self.one::<Int64Type>("period_end")?,
            length_s: self.one::<DoubleType>("length_s")?,
            sources: self.all::<Int64Type>("sources.list.element")?,
            counters: LAYOUT
                .counters
                .iter()
                .map(|column| self.count(&column.name))
                .collect::<Result<_, _>>()?,
            histograms: LAYOUT
                .histograms
                .iter()
                .map(|column| self.histogram(&column.name))
                .collect::<Result<_, _>>()?,
            distinct: distinct.collect::<Result<_, _>>()?,
            lists: self.lists()?,
        })
    }

    fn histogram(&self, name: &str) -> Result<ExponentialHistogram, BrokenFile> {
        let indexes = self.all::<Int32Type>(&format!("{name}_buckets.list.element.index"))?;
        let counts = self.counts(&format!("{name}_buckets.list.element.count"))?;
        same_length(name, &[indexes.len(), counts.len()])?;
        let scale = self.one::<Int32Type>(&format!("{name}_scale"))?;
        Ok(ExponentialHistogram {
            scale: i8::try_from(scale)
                .map_err(|_| BrokenFile::Foreign(format!("{name} has no such scale")))?,
            zero: self.count(&format!("{name}_zero"))?,
            count: self.count(&format!("{name}_count"))?,
            sum: self.one::<DoubleType>(&format!("{name}_sum"))?,
            buckets: indexes
                .into_iter()
                .zip(counts)
                .map(|(index, count)| ExponentialBucket { index, count })
                .collect(),
        })
    }

    /// The lists in the order of the layout. A list that the file does not have is empty, and says nothing
    /// of absent items.
    fn lists(&self) -> Result<Vec<ArchivedList>, BrokenFile> {
        const LISTS: &str = "lists.list.element";
        let paths = self.texts(&format!("{LISTS}.list"))?;
        let absent = self.counts(&format!("{LISTS}.absent_upper"))?;
        let entry = |field: &str| format!("{LISTS}.entries.list.element.{field}");
        let (lengths, names) = self.nested::<ByteArrayType>(&entry("name"))?;
        let names: Vec<String> =
            names.iter().map(|name| String::from_utf8_lossy(name.data()).into_owned()).collect();
        let [estimates, lowers, uppers] =
            [self.counts(&entry("estimate"))?, self.counts(&entry("lower"))?, self.counts(&entry("upper"))?];
        same_length("lists", &[paths.len(), absent.len(), lengths.len()])?;
        same_length("lists", &[names.len(), estimates.len(), lowers.len(), uppers.len()])?;
        let numbers = estimates.into_iter().zip(lowers).zip(uppers);
        let mut entries = names
            .into_iter()
            .zip(numbers)
            .map(|(name, ((estimate, lower), upper))| ArchivedEntry { name, estimate, lower, upper });
        let mut lists = HashMap::new();
        for ((path, absent_upper), length) in paths.into_iter().zip(absent).zip(lengths) {
            let list = ArchivedList { entries: entries.by_ref().take(length).collect(), absent_upper };
            if !LAYOUT.lists.iter().any(|column| column.path == path) {
                return Err(BrokenFile::Newer(format!("its list {} is unknown", path.escape_debug())));
            }
            lists.insert(path, list);
        }
        let of = |column: &ListColumn| lists.remove(&column.path).unwrap_or_else(ArchivedList::unknown);
        Ok(LAYOUT.lists.iter().map(of).collect())
    }

    /// The lengths of the lists in a list, and all their values.
    fn nested<T: DataType>(&self, path: &str) -> Result<(Vec<usize>, Vec<T::T>), BrokenFile> {
        let ArchiveColumn { definitions, repetitions, values } = self.column::<T>(path)?;
        let mut lengths = Vec::new();
        for (definition, repetition) in definitions.into_iter().zip(repetitions) {
            if repetition < 2 && definition > 0 {
                lengths.push(0);
            }
            if let (2, Some(length)) = (definition, lengths.last_mut()) {
                *length += 1;
            }
        }
        Ok((lengths, values))
    }

    fn image(&self, name: &str) -> Result<Option<Vec<u8>>, BrokenFile> {
        Ok(self.all::<ByteArrayType>(name)?.pop().map(|image| image.data().to_vec()))
    }

    fn texts(&self, path: &str) -> Result<Vec<String>, BrokenFile> {
        let text = |bytes: ByteArray| String::from_utf8_lossy(bytes.data()).into_owned();
        Ok(self.all::<ByteArrayType>(path)?.into_iter().map(text).collect())
    }

    fn count(&self, path: &str) -> Result<u64, BrokenFile> {
        Ok(u64::try_from(self.one::<Int64Type>(path)?).unwrap_or(0))
    }

    fn counts(&self, path: &str) -> Result<Vec<u64>, BrokenFile> {
        Ok(self.all::<Int64Type>(path)?.into_iter().map(|count| u64::try_from(count).unwrap_or(0)).collect())
    }

    /// The value of a required column; the default if the file does not have the column.
    fn one<T: DataType>(&self, path: &str) -> Result<T::T, BrokenFile> {
        Ok(self.all::<T>(path)?.pop().unwrap_or_default())
    }

    /// All values of a column: none, if the file does not have the column.
    fn all<T: DataType>(&self, path: &str) -> Result<Vec<T::T>, BrokenFile> {
        Ok(self.column::<T>(path)?.values)
    }

    fn column<T: DataType>(&self, path: &str) -> Result<ArchiveColumn<T>, BrokenFile> {
        let mut column =
            ArchiveColumn { definitions: Vec::new(), repetitions: Vec::new(), values: Vec::new() };
        let Some(place) = self.places.get(path) else { return Ok(column) };
        let reader: ColumnReader = self.group.get_column_reader(*place)?;
        let mut reader: ColumnReaderImpl<T> = get_typed_column_reader(reader);
        let ArchiveColumn { definitions, repetitions, values } = &mut column;
        let (records, ..) = reader.read_records(2, Some(definitions), Some(repetitions), values)?;
        if records != 1 {
            return Err(BrokenFile::Foreign(format!("its column {path} has {records} rows instead of one")));
        }
        Ok(column)
    }
}

/// The values of a column, and the levels that say where they belong.
struct ArchiveColumn<T: DataType> {
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
    values: Vec<T::T>,
}

fn same_length(name: &str, lengths: &[usize]) -> Result<(), BrokenFile> {
    match lengths.windows(2).all(|pair| pair[0] == pair[1]) {
        true => Ok(()),
        false => Err(BrokenFile::Foreign(format!("the columns of {name} have different lengths"))),
    }
}
