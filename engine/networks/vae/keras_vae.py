"""MusicVAE and GrooVAE with one level of decoder as a Keras 3 model, for training on whole batches; any Keras backend.

Source: Roberts et al. 2018, "A Hierarchical Latent Vector Model for Learning Long-Term Structure in Music", sections
3.1 (bidirectional LSTM encoder) and 3.2 ("flat" LSTM decoder); Gillick et al. 2019, "Learning to Groove with Inverse
Sequence Transformations", section 4 (losses of hits, velocities and offsets).
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from engine.networks.keras_weights import NamedWeightsModel
from engine.networks.scan import lstm_layer
from engine.networks.vae.layout import VaeLayout, decoder_cell, encoder_cell

ops: Any = keras.ops  # whose stubs know too little of what it returns

_LEAST_CHANCE = 1e-7
"""Of what a class is drawn by, so that its logarithm is a number."""


def categorical_losses(targets, outputs):
    """Negative log-likelihood [...] in nats of classes [...] under logits [..., K]."""
    return keras.losses.sparse_categorical_crossentropy(targets, outputs, from_logits=True)


def _parts_of(values, sizes):
    """Values [..., sum of `sizes`] cut into those of each part. TensorFlow does not cut into one."""
    return [values] if len(sizes) == 1 else ops.split(values, np.cumsum(sizes)[:-1].tolist(), axis=-1)


def parts_losses(sizes):
    """What gives the negative log-likelihood [...] in nats of the classes [..., parts] of several parts under their
    logits side by side [..., sum of `sizes`]."""

    def losses(targets, outputs):
        parts = _parts_of(outputs, sizes)
        costs = [categorical_losses(targets[..., part], logits) for part, logits in enumerate(parts)]
        return ops.sum(ops.stack(costs), axis=0)

    return losses


def groove_losses(targets, outputs, emphasis: float = 0.0):
    """What Magenta's groove decoder minimises, per step [...]: log-loss of hits, squared errors of the rest.

    Args:
        targets: [..., 27], nine hits, nine velocities, nine offsets.
        outputs: [..., 27], before sigmoid, sigmoid and tanh.
        emphasis: of absolute errors of velocities and offsets where there is a hit, which are added; 0 is Magenta's
            loss. With that, a network that is not sure of a hit learns to play it softly and on the grid, for most
            errors are where there is none; and squares alone teach means, which are narrower than what drummers do.
    """
    hits, velocities, offsets = ops.split(targets, 3, axis=-1)
    hit, velocity, offset = ops.split(outputs, 3, axis=-1)
    # Magenta takes logarithms of the sigmoid. That is no number where products are rounded and a hit is certain.
    log_loss = ops.softplus(hit) - hits * hit
    louder, later = velocities - ops.sigmoid(velocity), offsets - ops.tanh(offset)
    errors = ops.square(louder) + ops.square(later)
    if emphasis:
        errors = errors + emphasis * hits * (ops.abs(louder) + ops.abs(later))
    return ops.sum(log_loss + errors, axis=-1)


class VaeModel(NamedWeightsModel):
    """Encoder, latent vector and decoder; called on a batch it gives the decoder's outputs and adds the cost of z.

    The batch is a mapping of "inputs" [B, T, input_size] (what the encoder hears), "targets" (what the decoder is to
    give: classes [B, T] int32 where `groove` is not set, of several parts [B, T, parts], else [B, T, output_size]) and,
    with controls, "controls" [B, T, control_size]. In training z is drawn from the posterior, otherwise it is mu. The
    cost that is added is beta * max(KL - free_nats, 0) / T, averaged over the batch: a negative ELBO per step together
    with a mean loss per step.

    Args:
        layout: names, shapes and sizes; without conductor and NADE.
        groove: the decoder gives hits, velocities and offsets; else logits of classes.
        free_nats: of the KL divergence that cost nothing.
        known: of grooves [9], whose hits the decoder is told in play, too; None for none.
        dropout: share dropped in training of what each decoder layer gives, and of what a groove's encoder gives.
            Magenta drops strokes that the encoder hears, which teaches it to guess strokes.
        seed: of z, dropout and scheduled sampling.

    Raises:
        ValueError: the layout has a conductor or a NADE.

    `beta` and `sampling` are variables for a schedule to set. `sampling` is the share of previous events that the
    decoder is not told but samples: in parallel, from a first pass in which it was told all (Duckworth et al. 2019,
    "Parallel Scheduled Sampling"), or of grooves whose hits are all known the hits alone. Weights are zero until
    `set_by_name`.
    """

    def __init__(
        self,
        layout: VaeLayout,
        groove: bool = False,
        free_nats: float = 0.0,
        dropout: float = 0.0,
        seed: int = 0,
        known: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        if layout.conductor or layout.nade:
            raise ValueError("a VAE with a conductor or a NADE cannot be trained")
        self.layout = layout
        self.groove, self.free_nats, self.dropout_rate = groove, free_nats, dropout
        self.known = np.zeros(layout.output_sizes[0] // 3) if known is None else known.astype(float)
        self.hits_known = groove and bool(self.known.all())
        self.seeds = keras.random.SeedGenerator(seed)
        self.add_by_name(layout.shapes())
        self.beta = self.add_weight(shape=(), initializer="zeros", trainable=False, name="beta")
        self.sampling = self.add_weight(shape=(), initializer="zeros", trainable=False, name="sampling")
        self.built = True

    def call(self, batch, training=False):
        """Outputs of the decoder, [B, T, output_size]."""
        controls = batch.get("controls")
        mu, sigma = self.encode(batch["inputs"], controls=controls, training=training)
        steps = batch["inputs"].shape[1]
        self.add_loss(self.beta * ops.mean(ops.maximum(divergence(mu, sigma) - self.free_nats, 0.0)) / steps)
        if not training:
            return self.told(mu, batch["targets"], controls)
        z = mu + sigma * keras.random.normal(ops.shape(mu), seed=self.seeds)
        told = ops.stop_gradient(self.told(ops.stop_gradient(z), self._first_told(batch["targets"]), controls))
        return self.decode(z, self._mixed(batch["targets"], told), controls, training=True)

    def encode(self, inputs, lengths=None, controls=None, training=False):
        """Posterior of z: (mu, sigma), each [B, latent_size].

        Args:
            inputs: [B, T, input_size].
            lengths: steps of each sequence that count, [B]; None for all.
            controls: [B, T, control_size] or None.
            training: drop a share of what it gives, of grooves.
        """
        outputs = ops.transpose(inputs if controls is None else ops.concatenate([inputs, controls], axis=-1), (1, 0, 2))
        valid = None
        if lengths is not None:
            valid = ops.cast(ops.arange(outputs.shape[0])[:, None] < lengths[None], "float32")[..., None]
        forward = backward = outputs
        for layer in range(len(self.layout.encoder)):
            forward = self._run(encoder_cell(layer, "fw"), outputs, valid=valid)
            reversed_valid = None if valid is None else ops.flip(valid, axis=0)
            backward = self._run(encoder_cell(layer, "bw"), ops.flip(outputs, axis=0), valid=reversed_valid)
            outputs = ops.concatenate([forward, ops.flip(backward, axis=0)], axis=-1)
        heard = self._dropped(ops.concatenate([forward[-1], backward[-1]], axis=-1), training and self.groove)
        return self._dense("encoder/mu", heard), ops.softplus(self._dense("encoder/sigma", heard))

    def told(self, z, targets, controls=None):
        """Outputs [B, T, output_size] of the decoder when it is told, before each step, what was to be given so far.

        Args:
            z: [B, latent_size].
            targets, controls: see the class.
        """
        return self.decode(z, self._previous(targets), controls)

    def decode(self, z, previous, controls=None, training=False):
        """Outputs [B, T, output_size] of a decoder that is told the events before each step.

        Args:
            z: [B, latent_size].
            previous: event before each step: classes [B, T] (of several parts [B, T, parts]), -1 for none; for groove
                [B, T, output_size].
            controls: [B, T, control_size] or None.
            training: drop a share of what each layer gives.
        """
        layout, parts = self.layout, len(self.layout.scopes)
        told = [previous] if parts == 1 else [previous[..., part] for part in range(parts)]
        each = zip(layout.scopes, layout.output_sizes, told, strict=True)
        made = [self._decode_part(scope, rows, z, before, controls, training) for scope, rows, before in each]
        return made[0] if parts == 1 else ops.concatenate(made, axis=-1)

    def _decode_part(self, scope, rows, z, previous, controls, training):
        """Outputs [B, T, rows] of the decoder of one part."""
        states = ops.tanh(self._dense(f"{scope}/z_to_initial_state", z))
        edges = np.cumsum([units for size in self.layout.decoder for units in (size, size)])[:-1]
        states = ops.split(states, edges.tolist(), axis=-1)
        kernel, latent = self.by_name[f"{decoder_cell(0, scope)}/kernel"], self.layout.latent
        projected = self._previous_rows(kernel[:rows], previous)
        projected = projected + ops.matmul(z, kernel[rows : rows + latent])[:, None]
        if controls is not None:
            told = kernel[rows + latent : kernel.shape[0] - self.layout.decoder[0]]
            projected = projected + ops.matmul(controls, told)
        projected = ops.transpose(projected + self.by_name[f"{decoder_cell(0, scope)}/bias"], (1, 0, 2))
        outputs = lstm_layer(projected, kernel[-self.layout.decoder[0] :], (states[0], states[1]))
        for layer in range(1, len(self.layout.decoder)):
            initial = states[2 * layer], states[2 * layer + 1]
            outputs = self._run(decoder_cell(layer, scope), self._dropped(outputs, training), initial)
        outputs = ops.transpose(self._dropped(outputs, training), (1, 0, 2))
        return self._dense(f"{scope}/output_projection", outputs)

    def _run(self, cell, inputs, initial=None, valid=None):
        kernel, bias = self.by_name[f"{cell}/kernel"], self.by_name[f"{cell}/bias"]
        below = inputs.shape[-1]
        return lstm_layer(ops.matmul(inputs, kernel[:below]) + bias, kernel[below:], initial, valid)

    def _dense(self, name, inputs):
        return ops.matmul(inputs, self.by_name[f"{name}/kernel"]) + self.by_name[f"{name}/bias"]

    def _dropped(self, values, training):
        if not training or not self.dropout_rate:
            return values
        return keras.random.dropout(values, self.dropout_rate, seed=self.seeds)

    def _previous(self, targets):
        """What stands before each step: the step before, and nothing before the first."""
        if self.groove:
            return ops.pad(targets[:, :-1], ((0, 0), (1, 0), (0, 0)))
        several = ((0, 0),) * (len(targets.shape) - 2)
        return ops.pad(ops.cast(targets[:, :-1], "int32") + 1, ((0, 0), (1, 0), *several)) - 1

    def _previous_rows(self, kernel, previous):
        """What the previous events give to the gates of the first layer, [B, T, 4H]."""
        if self.groove:
            return ops.matmul(previous, kernel)
        known = ops.cast(previous >= 0, "float32")[..., None]
        return ops.take(kernel, ops.maximum(previous, 0), axis=0) * known

    def _first_told(self, targets):
        """What the first pass of scheduled sampling is told of targets.

        Where all hits are known in play, hits alone: told how early the drummer was, the network would play so, too,
        and learn to listen for what nobody tells it in play.
        """
        if not self.hits_known:
            return targets
        hits, velocities, offsets = ops.split(targets, 3, axis=-1)
        return ops.concatenate([hits, ops.zeros_like(velocities), ops.zeros_like(offsets)], axis=-1)

    def as_in_play(self, z, targets, controls):
        """Outputs [B, T, output_size] of a decoder of grooves whose hits are known, that hears what it played itself:
        of a second pass, after a first that heard hits alone; arguments as of `told`."""
        outputs = self.told(z, self._first_told(targets), controls)
        return self.told(z, self._strokes(targets, outputs), controls)

    def _strokes(self, targets, outputs):
        """What outputs of a groove play, [B, T, 27], with the hits of targets where they are known."""
        hits, velocities, offsets = ops.split(outputs, 3, axis=-1)
        true = ops.split(targets, 3, axis=-1)[0]
        if not self.hits_known:
            drawn = keras.random.uniform(ops.shape(hits), seed=self.seeds)
            true = self.known * true + (1 - self.known) * ops.cast(drawn < ops.sigmoid(hits), "float32")
        # As `GrooveHead.hold`: where a drum is known to be silent, it has no velocity and no offset.
        heard = 1 - self.known * (1 - true)
        return ops.concatenate([true, heard * ops.sigmoid(velocities), heard * ops.tanh(offsets)], axis=-1)

    def _mixed(self, targets, outputs):
        """Previous events, of which the share `sampling` is what the decoder itself would have played there."""
        previous = self._previous(targets)
        if self.groove:
            played = self._strokes(targets, outputs)
        else:
            drawn = keras.random.uniform(ops.shape(outputs), minval=_LEAST_CHANCE, maxval=1.0, seed=self.seeds)
            parts = _parts_of(outputs - ops.log(-ops.log(drawn)), self.layout.output_sizes)
            played = ops.stack([ops.cast(ops.argmax(part, axis=-1), "int32") for part in parts], axis=-1)
            played = played[..., 0] if len(parts) == 1 else played
        asked = ops.shape(previous)[:2] if self.groove else ops.shape(previous)
        chosen = keras.random.uniform(asked, seed=self.seeds) < self.sampling
        chosen = chosen[..., None] if self.groove else chosen
        return ops.where(chosen, self._previous(played), previous)


class VaeJudge(NamedWeightsModel):
    """A `VaeModel` to judge: called on a batch it gives "outputs" as that does when not training, of grooves whose hits
    are known as in play, and "kl", the divergence [B] of each sequence's z in nats."""

    def __init__(self, model: VaeModel) -> None:
        super().__init__()
        self.model, self.built = model, True

    def call(self, batch):
        """See the class."""
        controls = batch.get("controls")
        mu, sigma = self.model.encode(batch["inputs"], controls=controls)
        decode = self.model.as_in_play if self.model.hits_known else self.model.told
        return {"outputs": decode(mu, batch["targets"], controls), "kl": divergence(mu, sigma)}


def divergence(mu, sigma):
    """KL divergence [B] in nats of normal distributions from the standard one."""
    return 0.5 * ops.sum(ops.square(mu) + ops.square(sigma) - 2 * ops.log(sigma) - 1, axis=-1)
