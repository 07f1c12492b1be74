# SPDX-License-Identifier: Apache-2.0
"""Texts come as published, with what people said of them."""

import numpy as np

from stn_perception.studies.data.news import TOPICS, load_news
from stn_perception.studies.data.snippets import LARGEST_RATING, load_snippets


def test_no_article_is_there_twice() -> None:
    news = load_news()
    assert len(news.texts) == len(set(news.texts)) == 2_127
    assert np.bincount(news.topics).tolist() == [503, 369, 403, 505, 347]


def test_an_article_goes_with_its_topic() -> None:
    news = load_news()
    sports, tech = (
        [text for text, topic in zip(news.texts, news.topics, strict=True) if topic == wanted]
        for wanted in (TOPICS.index("sports"), TOPICS.index("tech"))
    )
    for word, more, fewer in (("match", sports, tech), ("software", tech, sports)):
        assert sum(word in text for text in more) > 10 * sum(word in text for text in fewer)


def test_a_snippet_goes_with_its_rating() -> None:
    snippets = load_snippets()
    assert len(snippets.texts) == len(snippets.ratings) == 10_605
    assert np.abs(snippets.ratings).max() <= LARGEST_RATING
    for word, sign in (("brilliant", 1), ("dull", -1)):
        found = [
            rating
            for text, rating in zip(snippets.texts, snippets.ratings, strict=True)
            if word in text.lower()
        ]
        assert len(found) > 20
        assert sign * np.mean(found) > 0.8
