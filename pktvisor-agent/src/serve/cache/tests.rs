//! One merge at a time, however many clients ask.

use super::*;

const WINDOW: CacheKey = CacheKey::Window(2, ListLength::DEFAULT);

fn bucket(n: usize) -> CacheKey {
    CacheKey::Bucket(n, ListLength::DEFAULT)
}

fn document(text: &str) -> Document {
    Document::new("text/plain", text.to_owned())
}

fn cache(lifetime: Duration) -> Cache {
    Cache::new(lifetime, Arc::default())
}

fn rotated(rotations: u64) -> Moment {
    Moment { rotations, published: None }
}

#[tokio::test]
async fn an_answer_lives_as_long_as_its_moment_where_moments_are_published() {
    let cache = cache(Duration::ZERO);
    let moment = |published| Moment { rotations: 0, published: Some(published) };
    let first = cache.get(WINDOW, moment(1), || Ok(document("a"))).await.unwrap();
    let again = cache.get(WINDOW, moment(1), || Ok(document("b"))).await.unwrap();
    let later = cache.get(WINDOW, moment(2), || Ok(document("c"))).await.unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!(later.plain(), b"c".as_slice());
}

#[tokio::test]
async fn a_fresh_answer_is_given_again_until_a_period_rotates() {
    let cache = cache(Duration::from_secs(3600));
    let first = cache.get(bucket(0), rotated(7), || Ok(document("a"))).await.unwrap();
    let again = cache.get(bucket(0), rotated(7), || Ok(document("b"))).await.unwrap();
    let rotated = cache.get(bucket(0), rotated(8), || Ok(document("c"))).await.unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!(rotated.plain(), b"c".as_slice());
}

#[tokio::test]
async fn failures_are_not_remembered() {
    let cache = cache(Duration::from_secs(3600));
    assert!(cache.get(WINDOW, rotated(0), || Err(Failure::Broken)).await.is_err());
    assert!(cache.get(WINDOW, rotated(0), || Ok(document("a"))).await.is_ok());
}

#[tokio::test]
async fn asking_for_many_numbers_keeps_no_slots() {
    let cache = cache(Duration::ZERO);
    for n in 0..1000 {
        let _ = cache.get(bucket(n), rotated(0), || Ok(document("a"))).await;
    }
    assert!(cache.slots.lock().unwrap().len() <= 2);
}

#[tokio::test]
async fn of_many_fresh_answers_the_newest_are_kept() {
    let cache = cache(Duration::from_secs(3600));
    for n in 0..1000 {
        let _ = cache.get(bucket(n), rotated(0), || Ok(document("a"))).await;
    }
    assert_eq!(cache.slots.lock().unwrap().len(), SLOTS_MAX);
    let kept = cache.get(bucket(999), rotated(0), || Ok(document("b"))).await.unwrap();
    let dropped = cache.get(bucket(0), rotated(0), || Ok(document("b"))).await.unwrap();
    assert_eq!((kept.plain(), dropped.plain()), (b"a".as_slice(), b"b".as_slice()));
}

#[tokio::test]
async fn an_answer_in_use_stays_whatever_else_is_asked_for() {
    let cache = cache(Duration::from_secs(3600));
    let slot = cache.slot(WINDOW);
    for n in 0..1000 {
        let _ = cache.get(bucket(n), rotated(0), || Ok(document("a"))).await;
    }
    assert!(Arc::ptr_eq(&slot, &cache.slot(WINDOW)));
}

#[tokio::test]
async fn few_answers_with_long_lists_are_kept_and_no_usual_one_goes_for_them() {
    let cache = cache(Duration::from_secs(3600));
    let first = cache.get(bucket(0), rotated(0), || Ok(document("a"))).await.unwrap();
    for entries in 11..=1000 {
        let key = CacheKey::Bucket(0, ListLength::new(entries).unwrap());
        let _ = cache.get(key, rotated(0), || Ok(document("b"))).await;
    }
    assert_eq!(cache.slots.lock().unwrap().len(), 1 + LONG_SLOTS_MAX);
    let again = cache.get(bucket(0), rotated(0), || Ok(document("c"))).await.unwrap();
    assert!(Arc::ptr_eq(&first, &again));
}

#[test]
fn a_bounded_number_of_answers_with_long_lists_has_a_place() {
    let cache = cache(Duration::ZERO);
    let long = ListLength::new(11).unwrap();
    let mut places: Vec<_> = (0..LONG_MAX).map(|_| cache.place(long).unwrap().unwrap()).collect();
    assert_eq!(cache.place(long).unwrap_err(), Failure::Busy);
    assert!(cache.place(ListLength::DEFAULT).unwrap().is_none());
    places.pop();
    assert!(cache.place(long).is_ok());
}

#[tokio::test]
async fn a_bounded_number_of_clients_waits_for_windows() {
    let cache = cache(Duration::from_secs(3600));
    let ready = cache.get(WINDOW, rotated(0), || Ok(document("a"))).await.unwrap();
    let waiting: Vec<_> = (0..WAITING_MAX).map(|_| cache.permit(&cache.waiting).unwrap()).collect();
    let window = CacheKey::Window(3, ListLength::DEFAULT);
    let refused = cache.get(window, rotated(0), || Ok(document("b"))).await;
    assert_eq!(refused.unwrap_err(), Failure::Busy);
    // A window that is ready, and every other answer.
    assert!(Arc::ptr_eq(&ready, &cache.get(WINDOW, rotated(0), || Err(Failure::Broken)).await.unwrap()));
    assert!(cache.get(bucket(0), rotated(0), || Ok(document("c"))).await.is_ok());
    drop(waiting);
    assert!(cache.get(window, rotated(0), || Ok(document("b"))).await.is_ok());
    assert_eq!(cache.statistics.info().busy, 1);
}
