"""Classes, tags and answers are what plain transformers says, in every family: its own logits, pipelines and span search."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file
from transformers.pipelines.document_question_answering import select_starts_ends

from headscope.core.errors import HeadscopeError
from headscope.core.models.load import load_model
from headscope.core.models.loaded import LoadedModel
from headscope.core.predict.class_predictions import answer, classify, tag
from headscope.core.predict.classes import label_index, readable_labels
from headscope.gui.cli import main
from tests.classifying import write
