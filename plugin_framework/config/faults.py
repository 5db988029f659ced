"""What can be wrong with a settings schema, a sentence for each fault: kept and logged in English, read in the reader's language."""

from __future__ import annotations

from plugin_framework.sdk._words import Phrase

# the whole
NOT_JSON = Phrase("is not JSON: %(error)s")
LARGE = Phrase("is larger than %(most)s bytes")
NO_OBJECT = Phrase("must be an object")
NOT_THE_TYPE_OBJECT = Phrase("must have the type 'object'")
SECRET_AS_A_WHOLE = Phrase("is not a secret as a whole; say writeOnly at the fields that are")
CONDITION_OF_THE_WHOLE = Phrase("x-show-if belongs to a field: there is nothing beside the whole")
BAD_PATTERN = Phrase("has a pattern that cannot be read: %(error)s")

NOT_ALLOWED = Phrase("JSON Schema does not allow %(value)s here: %(problem)s")

# references
MANY_FIELDS = Phrase("has more than %(most)s fields once its references are put in place")
STRANGE_REFERENCE = Phrase("refers to %(value)s; only '#/$defs/NAME' of the same schema can be referred to")
ENDLESS = Phrase("refers to itself through %(name)s")
REFERENCE_TO_NO_OBJECT = Phrase("refers to %(name)s, which is not an object")

# fields
DEEP = Phrase("is nested deeper than %(most)s")
NOT_SUPPORTED = Phrase("%(keywords)s: not supported for the type %(type)s")
NO_TYPE = Phrase("must have one type of %(types)s, not %(value)s")
NAME = Phrase("the field name %(name)s is not usable: 1 to %(most)s printable characters, no dots")
UNKNOWN_FIELDS = Phrase("additionalProperties must be true or false: the form cannot show fields without a name")
REQUIRES = Phrase("requires %(names)s, which it does not have")
HINTS: dict[type, Phrase] = {
    int: Phrase("%(name)s must be a number"),
    str: Phrase("%(name)s must be a text"),
    bool: Phrase("%(name)s must be true or false"),
    dict: Phrase("%(name)s must be an object"),
    list: Phrase("%(name)s must be a list"),
}
LABELS = Phrase("x-enum-labels must name each choice with a text")
BOUND_NAMES = Phrase("x-bound-to must list names of fields")
NO_CHOICE = Phrase("cannot choose among values of the type %(type)s")
NO_CHOICES = Phrase("must offer one or more choices in its enum, all of the type %(type)s")
BAD_DEFAULT = Phrase("its default cannot be stored: %(problem)s")
UNFIT_DEFAULT = Phrase("its default does not fit itself: %(error)s")

# lists
NO_ITEMS = Phrase("must say what its 'items' are")
NESTED_LIST = Phrase("an array holds single values, or objects of single values")
NO_FIELDS = Phrase("must have fields of its own: its 'properties'")
CONDITION_OF_AN_ENTRY = Phrase("x-show-if belongs to the list, or to a field of its entries")
SECRET_IN_A_LIST = Phrase("secrets cannot stand in an array")
UNIQUE_WITHOUT_A_LIMIT = Phrase("uniqueItems needs maxItems: comparing each with each takes long in a long list")

# texts and secrets
FORMAT = Phrase("the format %(format)s is not known; use one of %(formats)s")
RISKY = Phrase("the pattern %(pattern)s could take forever on some texts; avoid repeats inside repeats")
SLOW = Phrase(
    "the pattern %(pattern)s could take very long on texts of %(length)s characters; lower maxLength, start it with ^, or make its "
    "repeats take different characters"
)
BOUND_WITHOUT_A_SECRET = Phrase("x-bound-to belongs to a secret (writeOnly: true)")
SECRET = Phrase("a secret is a string without a default")
BOUND_TO_NOTHING = Phrase("is bound to %(names)s, which the schema does not have, or which is a secret")

# conditions
CONDITION = Phrase("x-show-if must be an object: values by the names of the fields beside it")
REQUIRED_AND_CONDITIONAL = Phrase(
    "x-show-if: what is required must always be filled in; give it a default, or do not require it and look in validate_config() "
    "whether it is needed"
)
WAIT_FOR_EACH_OTHER = Phrase("x-show-if: %(names)s wait for each other")
NO_FIELD_BESIDE = Phrase("x-show-if: there is no field %(name)s beside it")
NO_KNOWN_VALUES = Phrase("x-show-if: %(name)s must be a boolean, or have an enum, and be no secret")
NEVER = Phrase("x-show-if: %(name)s can never be %(values)s")
WHICH_VALUES = Phrase("x-show-if: say which values of %(name)s it waits for; of true and false, one")
