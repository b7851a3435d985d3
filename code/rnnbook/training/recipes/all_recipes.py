"""All recipes of the command line."""

from rnnbook.training.recipes.digits import digits
from rnnbook.training.recipes.kanji import kanji
from rnnbook.training.recipes.names import names_longer
from rnnbook.training.recipes.pictures import pictures_longer
from rnnbook.training.recipes.shakespeare import one_of_two, shakespeare
from rnnbook.training.recipes.speech import speech

# The recipes of `python -m rnnbook train`, by the names that model files know them by.
RECIPES = {
    "mnist": digits,
    "shakespeare": shakespeare,
    "shakespeare-long": one_of_two,
    "names": names_longer,
    "speech": speech,
    "pictures": pictures_longer,
    "kanji": kanji,
}
