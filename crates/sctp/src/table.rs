//! A table by stream identifier that takes memory only for streams in use.

/// Streams per page: most associations have one stream or a few.
const PAGE: usize = 4;

/// Values by stream identifier, in pages that come into being when touched.
#[derive(Debug)]
pub(crate) struct StreamTable<T> {
    pages: Vec<Option<Box<[T; PAGE]>>>,
}

impl<T: Default> StreamTable<T> {
    pub(crate) fn new() -> Self {
        Self { pages: Vec::new() }
    }

    /// The value of a stream, if its page was ever touched.
    pub(crate) fn get(&self, stream: u16) -> Option<&T> {
        let page = self.pages.get(usize::from(stream) / PAGE)?.as_ref()?;
        Some(&page[usize::from(stream) % PAGE])
    }

    /// The value of a stream, made on first use.
    pub(crate) fn entry(&mut self, stream: u16) -> &mut T {
        let number = usize::from(stream) / PAGE;
        if self.pages.len() <= number {
            self.pages.resize_with(number + 1, || None);
        }
        let page = self.pages[number].get_or_insert_with(|| Box::new(std::array::from_fn(|_| T::default())));
        &mut page[usize::from(stream) % PAGE]
    }

    /// Every stream of every touched page.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u16, &mut T)> {
        self.pages
            .iter_mut()
            .enumerate()
            .filter_map(|(number, page)| Some((number, page.as_mut()?)))
            .flat_map(|(number, page)| {
                // 65,536 / PAGE pages at most, so the product fits.
                page.iter_mut().enumerate().map(move |(index, value)| ((number * PAGE + index) as u16, value))
            })
    }
}
