"""The search of the Japanese edition: Sphinx's own, with Japanese cut into pairs of characters.

Japanese has no spaces between words. Whatever is cut into pairs the same way in the index and in
the query is found: 勾配消失 as 勾配, 配消 and 消失, which all must be on a page. The index has each
kanji by itself, too, for a query of one. Some write メモリー and コンピュータ, others メモリ and
コンピューター: a long vowel at the end of a word in katakana does not count.
"""

import re
from unicodedata import normalize

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

KANJI = r"\u3400-\u9fff"
JAPANESE = rf"\u3005\u3040-\u30ff{KANJI}"  # 々, hiragana and katakana, kanji
LONG_END = r"([\u30a1-\u30fc]{2})\u30fc(?![\u30a1-\u30fc])"  # two katakana or more, then ー


class JapaneseSearch(SearchEnglish):
    """Words in Latin letters are searched as in the English edition."""

    lang = "ja"
    language_name = "Japanese"
    stopwords = frozenset()
    js_splitter_code = """
function splitQuery(query) {
  const words = /[JAPANESE]+|(?:(?![JAPANESE])[\\p{Letter}\\p{Number}_])+/gu;
  const runs = query.normalize("NFKC").replace(/LONG_END/gu, "$1").match(words) ?? [];
  return runs.flatMap((run) =>
    /^[JAPANESE]{2,}$/u.test(run) ? [...run].slice(1).map((_, k) => run.slice(k, k + 2)) : [run]);
}
""".replace("JAPANESE", JAPANESE).replace("LONG_END", LONG_END)

    def split(self, text: str) -> list[str]:
        """The words of the index: those of a query, and each kanji."""
        words, text = [], re.sub(LONG_END, r"\1", normalize("NFKC", text))
        for run in re.findall(rf"[{JAPANESE}]+|[^\W{JAPANESE}]+", text):
            if re.fullmatch(rf"[{JAPANESE}]{{2,}}", run):
                words += [run[k : k + 2] for k in range(len(run) - 1)]
                words += re.findall(f"[{KANJI}]", run)
            else:
                words.append(run)
        return words

    def word_filter(self, word: str) -> bool:
        return True


def setup(app: Sphinx) -> None:
    app.add_search_language(JapaneseSearch)
