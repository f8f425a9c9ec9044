//! Writes a row as a Parquet file.

use std::sync::{Arc, LazyLock};

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::errors::Result;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, Type};

use crate::layout::LAYOUT;
use crate::row::{ArchiveRow, ArchivedEntry, ArchivedList};
use crate::sketch;

/// The key in a file's metadata that says which version of the schema it has.
pub(crate) const FORMAT_KEY: &str = "pktvisor.archive.format";
/// The version of the schema. A column that is added does not change it.
pub(crate) const FORMAT: &str = "1";

/// The greatest size of the file of one period.
pub const PERIOD_BYTES_MAX: usize = 98_000;
/// Entries in each list of a period, if the file does not become too large.
pub const PERIOD_ENTRIES: usize = 100;
/// Lists keep at least this many while histograms can become coarser.
const PERIOD_ENTRIES_MIN: usize = 12;
/// The coarsest scale of a period: buckets of 9 %.
const PERIOD_SCALE_MIN: i8 = 3;
/// Entries in each list of merged periods.
pub(crate) const MERGED_ENTRIES: usize = 1000;

static SCHEMA: LazyLock<Result<Arc<Type>>> =
    LazyLock::new(|| Ok(Arc::new(parse_message_type(&LAYOUT.message_type())?)));

/// The file of a closed period. If the traffic makes it too large, its lists become shorter, and then its
/// histograms coarser: bounds stay correct, and histograms of different scales still add up.
///
/// # Errors
///
/// The writer's; none is known.
pub fn encode_period(row: &ArchiveRow) -> Result<Vec<u8>> {
    let mut entries = PERIOD_ENTRIES;
    let mut row = row.clone();
    loop {
        row.cut_lists(entries);
        let file = encode(&row)?;
        if file.len() <= PERIOD_BYTES_MAX || entries == 0 {
            return Ok(file);
        }
        if entries / 2 < PERIOD_ENTRIES_MIN && coarsen(&mut row) {
            continue;
        }
        entries /= 2;
    }
}

/// Halves the resolution of the histograms; false if they are as coarse as they may be.
fn coarsen(row: &mut ArchiveRow) -> bool {
    let finest = row.histograms.iter().map(|histogram| histogram.scale).max().unwrap_or(PERIOD_SCALE_MIN);
    let scale = (finest - 1).max(PERIOD_SCALE_MIN);
    row.histograms.iter_mut().for_each(|histogram| *histogram = sketch::at_scale(histogram, scale));
    finest > PERIOD_SCALE_MIN
}

/// The file of one row.
///
/// # Errors
///
/// The writer's; none is known.
pub fn encode(row: &ArchiveRow) -> Result<Vec<u8>> {
    let schema =
        SCHEMA.as_ref().map_err(|error| parquet::errors::ParquetError::General(error.to_string()))?;
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::clone(schema), properties())?;
    let mut group = writer.next_row_group()?;
    write_columns(&mut ColumnWriters(&mut group), row)?;
    group.close()?;
    writer.into_inner()
}

/// Statistics, dictionaries and indexes would be larger than the one value of most columns.
fn properties() -> Arc<WriterProperties> {
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("pktvisor ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_key_value_metadata(Some(vec![KeyValue::new(FORMAT_KEY.to_owned(), FORMAT.to_owned())]));
    // A compressed number is longer.
    for counter in &LAYOUT.counters {
        let column = ColumnPath::from(counter.name.as_str());
        builder = builder.set_column_compression(column, Compression::UNCOMPRESSED);
    }
    for column in ["agent", "period_start"] {
        builder = builder.set_column_statistics_enabled(ColumnPath::from(column), EnabledStatistics::Chunk);
    }
    Arc::new(builder.build())
}

/// Writes in the order of [`LAYOUT`]'s schema.
fn write_columns(out: &mut ColumnWriters<'_, '_>, row: &ArchiveRow) -> Result<()> {
    out.one::<ByteArrayType>(text(&row.agent))?;
    out.one::<Int64Type>(row.id())?;
    out.one::<Int64Type>(row.start_us)?;
    out.one::<Int64Type>(row.end_us)?;
    out.one::<DoubleType>(row.length_s)?;
    out.list::<Int64Type>(row.sources.clone())?;
    for counter in &row.counters {
        out.one::<Int64Type>(signed(*counter))?;
    }
    for histogram in &row.histograms {
        out.one::<Int32Type>(i32::from(histogram.scale))?;
        out.one::<Int64Type>(signed(histogram.zero))?;
        out.one::<Int64Type>(signed(histogram.count))?;
        out.one::<DoubleType>(histogram.sum)?;
        out.list::<Int32Type>(histogram.buckets.iter().map(|bucket| bucket.index).collect())?;
        out.list::<Int64Type>(histogram.buckets.iter().map(|bucket| signed(bucket.count)).collect())?;
    }
    for image in &row.distinct {
        out.optional(image.as_deref())?;
    }
    out.list::<ByteArrayType>(LAYOUT.lists.iter().map(|column| text(&column.path)).collect())?;
    out.list::<Int64Type>(row.lists.iter().map(|list| signed(list.absent_upper)).collect())?;
    out.entries::<ByteArrayType>(&row.lists, |entry| text(&entry.name))?;
    out.entries::<Int64Type>(&row.lists, |entry| signed(entry.estimate))?;
    out.entries::<Int64Type>(&row.lists, |entry| signed(entry.lower))?;
    out.entries::<Int64Type>(&row.lists, |entry| signed(entry.upper))
}

/// Parquet's engines have no common unsigned type.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn text(text: &str) -> ByteArray {
    ByteArray::from(text)
}

/// Writes column after column of a single row.
struct ColumnWriters<'a, 'b>(&'a mut SerializedRowGroupWriter<'b, Vec<u8>>);

impl ColumnWriters<'_, '_> {
    /// A required value.
    fn one<T: DataType>(&mut self, value: T::T) -> Result<()> {
        self.batch::<T>(&[value], None, None)
    }

    /// A value that may be absent.
    fn optional(&mut self, value: Option<&[u8]>) -> Result<()> {
        match value {
            Some(bytes) => self.batch::<ByteArrayType>(&[ByteArray::from(bytes.to_vec())], Some(&[1]), None),
            None => self.batch::<ByteArrayType>(&[], Some(&[0]), None),
        }
    }

    /// One field of the elements of a list. Each value repeats the list of the first one; the
    /// definition level 0 stands for an empty list.
    fn list<T: DataType>(&mut self, values: Vec<T::T>) -> Result<()> {
        if values.is_empty() {
            return self.batch::<T>(&[], Some(&[0]), Some(&[0]));
        }
        let definitions = vec![1; values.len()];
        let mut repetitions = definitions.clone();
        repetitions[0] = 0;
        self.batch::<T>(&values, Some(&definitions), Some(&repetitions))
    }

    /// One field of the entries of all lists. An entry repeats the level of its list, except the first,
    /// which repeats that of all lists; the definition level 1 stands for a list without entries.
    fn entries<T: DataType>(
        &mut self,
        lists: &[ArchivedList],
        field: fn(&ArchivedEntry) -> T::T,
    ) -> Result<()> {
        let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
        for list in lists {
            let begin = if repetitions.is_empty() { 0 } else { 1 };
            repetitions.push(begin);
            repetitions.extend(list.entries.iter().skip(1).map(|_| 2));
            definitions.push(if list.entries.is_empty() { 1 } else { 2 });
            definitions.extend(list.entries.iter().skip(1).map(|_| 2));
            values.extend(list.entries.iter().map(field));
        }
        self.batch::<T>(&values, Some(&definitions), Some(&repetitions))
    }

    fn batch<T: DataType>(
        &mut self,
        values: &[T::T],
        definitions: Option<&[i16]>,
        repetitions: Option<&[i16]>,
    ) -> Result<()> {
        let Some(mut column) = self.0.next_column()? else {
            return Err(parquet::errors::ParquetError::General("the schema has fewer columns".to_owned()));
        };
        column.typed::<T>().write_batch(values, definitions, repetitions)?;
        column.close()
    }
}
