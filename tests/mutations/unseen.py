"""What no check can find, and why."""

UNSEEN: tuple[tuple[str, str], ...] = (
    (
        ("The digests of `files` in an origin, its `waived`, or that it has no `foundation`"),
        (
            "They only say what needn't be looked at again, and nothing is believed of them: "
            "a wrong one costs time. After an edit that means nothing (a comment, a renamed "
            "file, another last day of an exception) they are as wrong."
        ),
    ),
    (
        "`resolver` and `resolved` of an origin",
        "Which uv it was, and when, nobody else knows; nothing follows from it.",
    ),
    (
        "Another wheel of the locked version, which its index lists and which runs there",
        (
            "Such as one whose tag is not the best. Indexes get better wheels later, so what "
            "is locked is held, as `lock` itself holds it."
        ),
    ),
    (
        "An upload time that the index doesn't tell",
        (
            "Where `--resolve` is told nothing, an origin may say nothing either; a policy "
            "with `minimum-age` then refuses the wheel."
        ),
    ),
    (
        "A newer version than `lock` would have kept",
        (
            "It is what `lock --upgrade-package` gives, and stands in `diff`. A lower one "
            "that no bound forces is found."
        ),
    ),
    (
        (
            "A rule of the policy that the change takes out, an exception that it adds, "
            "another URL of an index"
        ),
        (
            "The change says so itself, in a file that people review; lock and image agree "
            "with it. A wheel from elsewhere has to have the locked digest."
        ),
    ),
    (
        "What a service copies, and what a wheel that its index offers does when it runs",
        (
            "Files and wheels are material. That they are those of the image is checked; "
            "nobody says whether they are any good."
        ),
    ),
    (
        "The image of a service that an engine builds",
        "No build gives it again: it is told as `unproven`.",
    ),
    (
        "What BASE itself holds wrongly",
        (
            "The merge base is believed. `lock --check --resolve` without `--since`, and "
            "`verify --content --rebuild`, believe nothing of it."
        ),
    ),
    (
        "A recipe's record in a store that names another layer, or is gone",
        (
            "`store verify` can't know which layer a recipe gives. No such record is believed"
            " but of this user's own making; without one the layer is made again."
        ),
    ),
    (
        "Changed bytes of the same size in a registry, by `verify --registry` alone",
        "A HEAD tells sizes. `--content` reads every blob.",
    ),
)
