"""Fifty terms of the field, in both languages: each finds the chapter that is about it first."""

import pytest

TERMS = {
    "sequences": "autoregressive model, 自己回帰モデル; time series, 時系列; sliding window, 系列",
    "simple_rnn": "RNN, 単純 RNN; recurrent neural network, 再帰型ニューラルネットワーク; "
    "hidden state, 隠れ状態; Elman network, リカレントニューラルネットワーク",
    "vanishing_gradient": "vanishing gradient, 勾配消失; exploding gradient, 勾配爆発; "
    "gradient clipping, 勾配クリッピング",
    "lstm": "LSTM, LSTM; long short-term memory, 長短期記憶; forget gate, 忘却ゲート; "
    "cell state, セル状態; residual connection, 残差接続",
    "digits": "MNIST, MNIST; learning rate, 学習率; handwritten digits, 手書き数字認識",
    "padding": "padding, パディング; mask, マスク; packed sequence, 可変長系列",
    "crashed_notebook": "TensorFlow, TensorFlow",
    "shakespeare": "language model, 言語モデル; perplexity, パープレキシティ; temperature, 温度; "
    "dropout, ドロップアウト; text generation, 文章生成",
    "bptt": "BPTT, BPTT; backpropagation through time, 通時的逆伝播; truncated BPTT, 逆伝播",
    "gru": "GRU, GRU; gated recurrent unit, ゲート付き回帰型ユニット; ablation, アブレーション",
    "memory": "copying task, コピー課題; orthogonal RNN, 直交 RNN; minGRU, 長期依存",
    "pixels": "state space model, 状態空間モデル; parallel scan, 並列スキャン; Mamba, Mamba",
    "bugs": "debugging, デバッグ; data leakage, データ漏洩",
    "records": "ensemble, アンサンブル; reproducibility, 再現性",
    "names": "seq2seq, 系列変換; teacher forcing, 教師強制; beam search, ビームサーチ; "
    "label smoothing, ラベル平滑化; encoder-decoder, エンコーダー・デコーダー",
    "attention": "attention, 注意機構; transformer, トランスフォーマー; Transformer, アテンション; "
    "self-attention, 自己注意; causal mask, 因果マスク; positional encoding, 位置エンコーディング",
    "speech": "CTC, CTC; speech recognition, 音声認識; "
    "connectionist temporal classification, コネクショニスト時系列分類",
    "pictures": "image captioning, 画像キャプション; convolution, 畳み込み",
    "kanji": "mixture density network, 混合密度ネットワーク; handwriting generation, 手書き生成",
    "recall": "linear attention, 線形注意機構; delta rule, デルタ則; associative memory, 連想記憶",
}  # fmt: skip
FIRST = """(queries) => queries.map((query) => {
    const found = Search._performSearch(...Search._parseQuery(query));
    return found.at(-1)?.[0];
})"""


@pytest.mark.parametrize(("edition", "language"), [("", 0), ("ja/", 1)])
def test_a_term_of_the_field_finds_its_chapter_first(edition, language, page, html):
    wanted = {
        pair.split(", ")[language]: f"book/{chapter}"
        for chapter, pairs in TERMS.items()
        for pair in pairs.split("; ")
    }
    assert len(wanted) >= 50
    page.goto(f"{(html / edition / 'search.html').as_uri()}?q=xyzzy")
    page.get_by_text("Nothing was found" if not edition else "見つかりませんでした").wait_for()
    found = page.evaluate(FIRST, list(wanted))
    assert dict(zip(wanted, found, strict=True)) == wanted
