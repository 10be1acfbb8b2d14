<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
  <context>
    <name>FilmStripPanel</name>
    <message numerus="yes">
      <source>Film strip of a generation: %n step(s)</source>
      <translation>
        <numerusform>Film strip of a generation: %n step</numerusform>
        <numerusform>Film strip of a generation: %n steps</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>GenerationPanel</name>
    <message numerus="yes">
      <source>Generated tokens and their probabilities: %n step(s)</source>
      <translation>
        <numerusform>Generated tokens and their probabilities: %n step</numerusform>
        <numerusform>Generated tokens and their probabilities: %n steps</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n token(s)</source>
      <translation>
        <numerusform>%n token</numerusform>
        <numerusform>%n tokens</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>HeadGridPicture</name>
    <message numerus="yes">
      <source>average of %n head(s)</source>
      <translation>
        <numerusform>average of %n head</numerusform>
        <numerusform>average of %n heads</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>HeadGridView</name>
    <message numerus="yes">
      <source>layer {layer} · average of %n head(s)</source>
      <translation>
        <numerusform>layer {layer} · average of %n head</numerusform>
        <numerusform>layer {layer} · average of %n heads</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>HeadStripPanel</name>
    <message numerus="yes">
      <source>sum of %n token(s)</source>
      <translation>
        <numerusform>of %n token</numerusform>
        <numerusform>sum of %n tokens</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>HeadsPanel</name>
    <message numerus="yes">
      <source>%n average(s)</source>
      <translation>
        <numerusform>%n average</numerusform>
        <numerusform>%n averages</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>Heatmap</name>
    <message numerus="yes">
      <source>column sum over %n selected quer(y/ies)</source>
      <translation>
        <numerusform>from the selected query</numerusform>
        <numerusform>column sum over %n selected queries</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>row sum over %n selected key(s)</source>
      <translation>
        <numerusform>to the selected key</numerusform>
        <numerusform>row sum over %n selected keys</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>LogitLensPanel</name>
    <message numerus="yes">
      <source>Logit lens: what the model would predict after each layer, at %n position(s)</source>
      <translation>
        <numerusform>Logit lens: what the model would predict after each layer, at %n position</numerusform>
        <numerusform>Logit lens: what the model would predict after each layer, at %n positions</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>ReadingPanel</name>
    <message numerus="yes">
      <source>mean of %n head(s)</source>
      <translation>
        <numerusform>mean of %n head</numerusform>
        <numerusform>mean of %n heads</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>sum of %n token(s)</source>
      <translation>
        <numerusform>of %n token</numerusform>
        <numerusform>sum of %n tokens</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>RuleWords</name>
    <message numerus="yes">
      <source>{tokens} and %n more</source>
      <translation>
        <numerusform>{tokens} and %n more</numerusform>
        <numerusform>{tokens} and %n more</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>No repeated run of %n token(s)</source>
      <translation>
        <numerusform>No repeated token</numerusform>
        <numerusform>No repeated run of %n tokens</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>No run of %n token(s) from the source</source>
      <translation>
        <numerusform>No token from the source</numerusform>
        <numerusform>No run of %n tokens from the source</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>At least %n token(s), including the prompt</source>
      <translation>
        <numerusform>At least %n token, including the prompt</numerusform>
        <numerusform>At least %n tokens, including the prompt</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>At least %n new token(s)</source>
      <translation>
        <numerusform>At least %n new token</numerusform>
        <numerusform>At least %n new tokens</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>StatusPanel</name>
    <message numerus="yes">
      <source>%n token(s)</source>
      <translation>
        <numerusform>%n token</numerusform>
        <numerusform>%n tokens</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>StepModel</name>
    <message numerus="yes">
      <source>{filter} keeps %n token(s), {mass} of the probability</source>
      <translation>
        <numerusform>{filter} keeps %n token, {mass} of the probability</numerusform>
        <numerusform>{filter} keeps %n tokens, {mass} of the probability</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>TextPanel</name>
    <message numerus="yes">
      <source>%n token(s) · last {dropped} cut off to fit</source>
      <translation>
        <numerusform>%n token · last {dropped} cut off to fit</numerusform>
        <numerusform>%n tokens · last {dropped} cut off to fit</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n token(s) of {limit}</source>
      <translation>
        <numerusform>%n token of {limit}</numerusform>
        <numerusform>%n tokens of {limit}</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n token(s)</source>
      <translation>
        <numerusform>%n token</numerusform>
        <numerusform>%n tokens</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>arithmetic</name>
    <message numerus="yes">
      <source>Each bar is one of %n dimension(s): point at one, or use ← and →.</source>
      <translation>
        <numerusform>Each bar is one of %n dimension: point at one, or use ← and →.</numerusform>
        <numerusform>Each bar is one of %n dimensions: point at one, or use ← and →.</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>Each bar is one of %n dimension(s).</source>
      <translation>
        <numerusform>Each bar is one of %n dimension.</numerusform>
        <numerusform>Each bar is one of %n dimensions.</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>Visible: this query may attend to %n key(s).</source>
      <translation>
        <numerusform>Visible: this query may attend to %n key.</numerusform>
        <numerusform>Visible: this query may attend to %n keys.</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>The other %n key(s) have smaller scores; together their weights are {sum}.</source>
      <translation>
        <numerusform>The other %n key have smaller scores; together their weights are {sum}.</numerusform>
        <numerusform>The other %n keys have smaller scores; together their weights are {sum}.</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>Summed over the %n key(s) that the query may attend to.</source>
      <translation>
        <numerusform>Summed over the %n key that the query may attend to.</numerusform>
        <numerusform>Summed over the %n keys that the query may attend to.</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>links</name>
    <message numerus="yes">
      <source>sum of %n token(s)</source>
      <translation>
        <numerusform>of %n token</numerusform>
        <numerusform>sum of %n tokens</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>offers</name>
    <message numerus="yes">
      <source>Shorten the text to %n token(s)</source>
      <translation>
        <numerusform>Shorten the text to %n token</numerusform>
        <numerusform>Shorten the text to %n tokens</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>Keep %n layer(s), in half precision</source>
      <translation>
        <numerusform>Keep %n layer, in half precision</numerusform>
        <numerusform>Keep %n layers, in half precision</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>Keep %n layer(s)</source>
      <translation>
        <numerusform>Keep %n layer</numerusform>
        <numerusform>Keep %n layers</numerusform>
      </translation>
    </message>
  </context>
</TS>
