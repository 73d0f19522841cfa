//! Whether a text is a geometry in WKT, checked before it is sent. Only the grammar is looked at and nothing is built:
//! the text itself is what goes out.
//!
//! What is taken is what the common readers agree on: the seven types in two to four dimensions, `EMPTY`, closed rings.

/// Collections within collections. Readers that recurse are safe at this depth.
const MAX_DEPTH: usize = 32;

/// Where a text stops being WKT, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotWkt {
    /// Counted from 1.
    pub(crate) byte: usize,
    pub(crate) reason: &'static str,
}

pub(crate) fn check(text: &str) -> Result<(), NotWkt> {
    let mut reader = Reader {
        text,
        at: 0,
        coordinates: None,
    };
    reader.geometry(0)?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.stop("more after the geometry"));
    }
    Ok(())
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Coordinates of each point, once that is known: the same throughout.
    coordinates: Option<usize>,
}

/// What stands between a pair of parentheses.
#[derive(Clone, Copy)]
enum Shape {
    Point,
    Line,
    Polygon,
    MultiPoint,
    MultiLine,
    MultiPolygon,
    Collection,
}

impl<'a> Reader<'a> {
    fn geometry(&mut self, depth: usize) -> Result<(), NotWkt> {
        if depth > MAX_DEPTH {
            return Err(self.stop("collections nested too deep"));
        }
        let word = self.word();
        let (shape, dimensions) = shape(word).ok_or_else(|| self.stop("no type of geometry"))?;
        let apart = if dimensions.is_empty() {
            self.dimensions_apart()
        } else {
            dimensions
        };
        match apart.len() {
            0 => {}
            letters => self.agree(2 + letters)?,
        }
        self.body(shape, depth)
    }

    /// `EMPTY`, or what the shape is made of.
    fn body(&mut self, shape: Shape, depth: usize) -> Result<(), NotWkt> {
        if self.take_empty() {
            return Ok(());
        }
        match shape {
            Shape::Point => {
                self.require('(', "no opening parenthesis")?;
                self.point()?;
                self.require(')', "no closing parenthesis")
            }
            Shape::Line => self.points(2).map(drop),
            Shape::Polygon => self.list(|reader| reader.ring()),
            Shape::MultiPoint => self.list(Self::member_point),
            Shape::MultiLine => self.list(|reader| reader.body(Shape::Line, depth)),
            Shape::MultiPolygon => self.list(|reader| reader.body(Shape::Polygon, depth)),
            Shape::Collection => self.list(|reader| reader.geometry(depth + 1)),
        }
    }

    /// With parentheses of its own or without.
    fn member_point(&mut self) -> Result<(), NotWkt> {
        self.space();
        if self.rest().starts_with('(') || self.rest().starts_with(['e', 'E']) {
            return self.body(Shape::Point, 0);
        }
        self.point().map(drop)
    }

    fn ring(&mut self) -> Result<(), NotWkt> {
        match self.points(4)? {
            (first, last) if first == last => Ok(()),
            _ => Err(self.stop("a ring that is not closed")),
        }
    }

    /// The first and the last one of a list in parentheses.
    fn points(&mut self, least: usize) -> Result<(Point, Point), NotWkt> {
        let (mut count, mut ends) = (0, None);
        self.list(|reader| {
            let point = reader.point()?;
            count += 1;
            ends = match ends {
                None => Some((point, point)),
                Some((first, _)) => Some((first, point)),
            };
            Ok(())
        })?;
        ends.filter(|_| count >= least)
            .ok_or_else(|| self.stop("too few points"))
    }

    fn list(
        &mut self,
        mut member: impl FnMut(&mut Self) -> Result<(), NotWkt>,
    ) -> Result<(), NotWkt> {
        self.require('(', "no opening parenthesis")?;
        loop {
            member(self)?;
            self.space();
            if !self.take(',') {
                return self.require(')', "no closing parenthesis");
            }
        }
    }

    fn point(&mut self) -> Result<Point, NotWkt> {
        let mut point = [0.0; 4];
        let mut count = 0;
        while let Some(number) = self.number()? {
            match point.get_mut(count) {
                Some(coordinate) => *coordinate = number,
                None => return Err(self.stop("more than four coordinates")),
            }
            count += 1;
        }
        if count < 2 {
            return Err(self.stop("no point of two numbers or more"));
        }
        self.agree(count)?;
        // M is no place: a ring closes without it, and as three may be x, y and m, only x and y are compared.
        let [x, y, ..] = point;
        Ok((x, y))
    }

    /// The next number, or `None` where something else stands.
    fn number(&mut self) -> Result<Option<f64>, NotWkt> {
        self.space();
        let rest = self.rest();
        let is_part = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
        let length = rest.bytes().take_while(|byte| is_part(*byte)).count();
        // No reader takes a leading plus; a leading e is a word.
        if length == 0 || rest.starts_with(['+', 'e', 'E']) {
            return Ok(None);
        }
        let text = rest.get(..length).unwrap_or_default();
        let number = fast_float2::parse::<f64, _>(text).ok();
        let number = number.filter(|number| number.is_finite());
        let number = number.ok_or_else(|| self.stop("no number"))?;
        self.at += length;
        Ok(Some(number))
    }

    fn agree(&mut self, coordinates: usize) -> Result<(), NotWkt> {
        if *self.coordinates.get_or_insert(coordinates) == coordinates {
            return Ok(());
        }
        Err(self.stop("points of different dimensions"))
    }

    fn dimensions_apart(&mut self) -> &'static str {
        let before = self.at;
        let word = self.word();
        let known = ["Z", "M", "ZM"].into_iter();
        let found = known
            .into_iter()
            .find(|known| word.eq_ignore_ascii_case(known));
        found.unwrap_or_else(|| {
            self.at = before;
            ""
        })
    }

    fn take_empty(&mut self) -> bool {
        let before = self.at;
        let empty = self.word().eq_ignore_ascii_case("EMPTY");
        if !empty {
            self.at = before;
        }
        empty
    }

    /// The letters that come next.
    fn word(&mut self) -> &'a str {
        self.space();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        self.at += letters;
        rest.get(..letters).unwrap_or_default()
    }

    fn require(&mut self, wanted: char, missing: &'static str) -> Result<(), NotWkt> {
        self.space();
        if self.take(wanted) {
            return Ok(());
        }
        Err(self.stop(missing))
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.rest().starts_with(wanted);
        self.at += usize::from(found);
        found
    }

    fn space(&mut self) {
        let rest = self.rest();
        let spaces = rest.bytes().take_while(|b| b" \t\r\n".contains(b));
        self.at += spaces.count();
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn stop(&self, reason: &'static str) -> NotWkt {
        let byte = self.at + 1;
        NotWkt { byte, reason }
    }
}

type Point = (f64, f64);

/// The shape that a keyword names, and the letters of its dimensions where they are written in one with it.
fn shape(word: &str) -> Option<(Shape, &'static str)> {
    const SHAPES: [(&str, Shape); 7] = [
        ("POINT", Shape::Point),
        ("LINESTRING", Shape::Line),
        ("POLYGON", Shape::Polygon),
        ("MULTIPOINT", Shape::MultiPoint),
        ("MULTILINESTRING", Shape::MultiLine),
        ("MULTIPOLYGON", Shape::MultiPolygon),
        ("GEOMETRYCOLLECTION", Shape::Collection),
    ];
    let word = word.to_ascii_uppercase();
    SHAPES.into_iter().find_map(|(name, shape)| {
        let suffix = word.strip_prefix(name)?;
        let known = ["", "Z", "M", "ZM"].into_iter();
        let dimensions = known.into_iter().find(|known| *known == suffix)?;
        Some((shape, dimensions))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_wkt_passes() {
        for text in [
            "POINT(1 2)",
            " point ( -1.5e3   .25 ) ",
            "POINT Z (1 2 3)",
            "POINTZM(1 2 3 4)",
            "Point M (1 2 3)",
            "POINT(1 2 3)",
            "POINT EMPTY",
            "LINESTRING(0 0,1 1)",
            "POLYGON((0 0,0 1,1 1,0 0))",
            "POLYGON ((0 0, 0 9, 9 9, 0 0), (1 1, 1 2, 2 2, 1 1))",
            "POLYGON M ((0 0 1,0 1 2,1 1 3,0 0 4))",
            "MULTIPOINT(1 2,3 4)",
            "MULTIPOINT((1 2),EMPTY,(3 4))",
            "MULTILINESTRING((0 0,1 1),EMPTY)",
            "MULTIPOLYGON(((0 0,0 1,1 1,0 0)),((5 5,5 6,6 6,5 5)))",
            "GEOMETRYCOLLECTION(POINT(1 2),GEOMETRYCOLLECTION(LINESTRING(0 0,1 1)),POINT EMPTY)",
            "GEOMETRYCOLLECTION EMPTY",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_not_is_refused_where_it_ends_to_be() {
        let check = |text: &str, byte: usize, reason: &'static str| {
            assert_eq!(check(text), Err(NotWkt { byte, reason }), "{text}");
        };
        check("", 1, "no type of geometry");
        check("CIRCLE(1 2)", 7, "no type of geometry");
        check("SRID=4326;POINT(1 2)", 5, "no type of geometry");
        check("POINTX(1 2)", 7, "no type of geometry");
        check("POINT 1 2", 7, "no opening parenthesis");
        check("POINT(1)", 8, "no point of two numbers or more");
        check("POINT()", 7, "no point of two numbers or more");
        check("POINT(1 2", 10, "no closing parenthesis");
        check("POINT(1,2)", 8, "no point of two numbers or more");
        check("POINT(1 2,3 4)", 10, "no closing parenthesis");
        check("POINT(1 2) POINT(1 2)", 12, "more after the geometry");
        check("POINT(1 2)\0", 11, "more after the geometry");
        check("POINT(1 2 3 4 5)", 16, "more than four coordinates");
        check("POINT(NaN 2)", 7, "no point of two numbers or more");
        check("POINT(-inf 2)", 7, "no number");
        check("POINT(1 1e999)", 9, "no number");
        check("POINT(1-2 3)", 7, "no number");
        check("POINT(+1 2)", 7, "no point of two numbers or more");
        check("POINT Z (1 2)", 13, "points of different dimensions");
        check("LINESTRING(0 0)", 16, "too few points");
        check(
            "LINESTRING(0 0,1 1 1)",
            21,
            "points of different dimensions",
        );
        check("POLYGON((0 0,0 1,0 0))", 22, "too few points");
        check(
            "POLYGON((0 0,0 1,1 1,2 2))",
            26,
            "a ring that is not closed",
        );
        check("POLYGON(0 0,0 1,1 1,0 0)", 9, "no opening parenthesis");
        check("GEOMETRYCOLLECTION()", 20, "no type of geometry");
    }

    #[test]
    fn a_deep_collection_ends_in_a_refusal_and_not_in_a_crash() {
        let nested = |depth: usize| {
            let (open, close) = ("GEOMETRYCOLLECTION(".repeat(depth), ")".repeat(depth));
            check(&format!("{open}POINT(1 2){close}"))
        };
        assert_eq!(nested(MAX_DEPTH), Ok(()));
        for depth in [MAX_DEPTH + 1, 1_000_000] {
            let refused = nested(depth).unwrap_err();
            assert_eq!(refused.reason, "collections nested too deep");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_an_end(text in "(GEOMETRYCOLLECTION|POINT|POLYGON|EMPTY|Z|\\(|\\)|,| |1|-2.5|é|\\PC){0,20}") {
            if let Err(refused) = check(&text) {
                prop_assert!(refused.byte <= text.len() + 1);
            }
        }
    }
}
