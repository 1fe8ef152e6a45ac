/// What a person sees at the end of a study: the HTML report, the PNG figures, the picture sheets and the tables.
///
/// Nothing is computed here: [StudyReport] and its records carry finished numbers in, and the rest of the package
/// draws them. It imports `dev.rote.errors`, Jackson, XChart and the JDK. Read [StudyReport] first, then [Charts]
/// (which curves go into which figure), then [HtmlReport].
package dev.rote.tools.report;
