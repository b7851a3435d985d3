"""The search of the Japanese edition: Sphinx's own, with Japanese cut into pairs of characters.

Japanese has no spaces between words. Whatever is cut into pairs the same way in the index and in
the query is found: 勾配消失 as 勾配, 配消 and 消失, which all must be on a page.
"""

import re
from unicodedata import normalize

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

JAPANESE = r"\u3005\u3040-\u30ff\u3400-\u9fff"  # 々, hiragana and katakana, kanji


class JapaneseSearch(SearchEnglish):
    """Words in Latin letters are searched as in the English edition."""

    lang = "ja"
    language_name = "Japanese"
    stopwords = frozenset()
    js_splitter_code = """
function splitQuery(query) {
  const words = /[JAPANESE]+|(?:(?![JAPANESE])[\\p{Letter}\\p{Number}_])+/gu;
  const runs = query.normalize("NFKC").match(words) ?? [];
  return runs.flatMap((run) =>
    /^[JAPANESE]{2,}$/u.test(run) ? [...run].slice(1).map((_, k) => run.slice(k, k + 2)) : [run]);
}
""".replace("JAPANESE", JAPANESE)

    def split(self, text: str) -> list[str]:
        words, text = [], normalize("NFKC", text)
        for run in re.findall(rf"[{JAPANESE}]+|[^\W{JAPANESE}]+", text):
            if re.fullmatch(rf"[{JAPANESE}]{{2,}}", run):
                words += [run[k : k + 2] for k in range(len(run) - 1)]
            else:
                words.append(run)
        return words

    def word_filter(self, word: str) -> bool:
        return True


def setup(app: Sphinx) -> None:
    app.add_search_language(JapaneseSearch)
