"""Words that show what a sender means, by what they show; patterns of all languages stand together.

They are evidence, features of the heads and, where one is as good as proof, rules. ``~`` marks a
pattern as bound by word edges; the scripts without spaces have none.
"""

CUES: dict[str, str] = {
    "unsubscribe": r"""
~unsubscribe|un-subscribe|opt[- ]?out|(?:remove|delete|scrub|strike|erase) (?:me|us|my (?:name|e-?mail|address)|this address|our (?:address|company))(?: off| from| out)?|(?:take|drop|get) (?:me|us|my (?:name|e-?mail|address)|this address|our (?:address|company)) (?:off|from|out)(?! (?:for|to))|(?:stop|quit|cease|no more) (?:e-?mail\w*|writing|sending|contact\w*|messag\w*|spamm\w*|these|this|it with)|(?:do not|don['’]?t|never) (?:contact|e-?mail|write(?: to)?|message|send) (?:me|us)(?: any ?more| again| anything)?|(?:lose|forget) my (?:address|e-?mail|contact)|pls stop|please stop|just stop|^\W*stop\b(?! by)|no further (?:e-?mails?|contact|messages)|leave (?:me|us) alone|off (?:your|the|this) (?:mailing |distribution )?list|(?:erase|delete) (?:all )?(?:my|our) (?:personal )?(?:data|details|information|record)
~abmelden|^\W*stopp?\b|widerspreche\b[^.?!\n]{0,50}(?:daten|werbung|nutzung|verwendung|verarbeitung|kontakt\w*)|abbestellen|austragen|(?:aus|von) (?:ihrem|dem|deinem|eurem|ihrer|deiner|der)? ?(?:verteiler|liste|mailingliste|datenbank)|(?:keine|nicht) (?:weiteren?|mehr)(?: \w+){0,2} (?:e-?mails?|mails|nachrichten|werbung|anschreiben|kontaktaufnahme|kontaktieren|schreiben|zusenden)|(?:schreiben|kontaktieren|mailen) sie (?:mir|uns|mich) (?:bitte )?(?:nicht|nie)(?: mehr| wieder)?|(?:löschen|entfernen|streichen|nehmen) sie (?:bitte )?(?:mich|meine|unsere|uns|alle|sämtliche)\b[^.?!\n]{0,40}|lasst mich in ruhe|lassen sie mich in ruhe|hören sie auf|(?:meine|unsere) (?:daten|adresse|e-?mail-?adresse)[^.?!\n]{0,40}(?:löschen|entfernen)|keine mails mehr|aufhören
~désinscri\w*|désabonn\w*|(?:retirez|supprimez|enlevez|effacez|retirer|supprimer|rayez)[- ](?:moi|mon|mes|nos|nous)\b[^.?!\n]{0,40}|(?:ne plus|ne) (?:m['’]|me|nous) ?(?:écri\w+|contact\w+)|plus (?:de|aucun) (?:courriels?|mails?|e-?mails?|messages?|relances?)|(?:ne plus|ne) (?:me|nous) (?:plus )?(?:contact\w+|écri\w+|solliciter|sollicitez|recevoir|envoy\w+)(?: plus)?|cess\w+ de (?:m['’]|me|nous)|arrêt\w+ (?:de (?:m['’]|me|nous)|vos|ces|les)[^.?!\n]{0,30}|ne plus recevoir|laissez[- ]moi tranquille
~(?:dar|darme|dame|deme|dadme)(?: de)? baja|de baja|borr\w+ (?:mi|mis|nuestr\w+)|elimin\w+ (?:mi|mis|me|nuestr\w+)[^.?!\n]{0,30}|elimíneme|quít\w+|no (?:me|nos) (?:escriba\w*|contacte\w*|envíe\w*|mande\w*|vuelva\w* a escribir)(?: más)?|no (?:quiero|deseo) recibir|dej\w+ de (?:escribir\w*|enviar\w*|contactar\w*|molestar\w*)
~(?:cancell\w+|rimuov\w+|elimin\w+|togli\w+) (?:mi|il mio|i miei|dalla)\b[^.?!\n]{0,30}|cancellatemi|rimuovetemi|toglietemi|disiscri\w+|non (?:scriv\w+|contatt\w+|inviat\w+)(?:mi|ci)?(?: più)?|non voglio (?:più )?ricevere|smett\w+ di
~(?:remov\w+|retir\w+|apag\w+|exclu\w+) (?:o )?(?:me|meu|os meus|nosso)\b[^.?!\n]{0,30}|descadastr\w+|cancelar (?:a )?(?:inscrição|subscrição)|não (?:me )?(?:envie\w*|escreva\w*|contacte\w*|contate\w*)(?: mais)?|par\w+ de (?:me )?(?:enviar|escrever|contactar)|não quero receber
~uitschrijven|afmelden|(?:verwijder|haal) (?:mij|me|mijn)\b[^.?!\n]{0,30}|geen (?:e-?)?mails? meer|niet meer (?:mailen|contacteren|benaderen|schrijven)|stop met (?:mailen|schrijven|sturen)
~отпи(?:шите|саться|ска)\w*|удалите (?:меня|мой|мои|мою|наш)\w*[^.?!\n]{0,30}|(?:больше )?не (?:пишите|присылайте|беспокойте)(?: мне| нам)?(?: больше)?|прекратите
配信停止|配信を停止|登録解除|解除して|削除して(?:ください|下さい)|今後(?:の|は)?(?:ご)?(?:連絡|メール|配信)[^。]{0,10}(?:不要|お控え|ご遠慮|結構|しないで|送らないで)|送らないで|メール(?:は|を)(?:不要|やめ|止め)|リストから(?:外|削除)
退订|取消订阅|(?:不要|别|勿)再?(?:给我|向我)?(?:发|联系|打扰|骚扰)|从(?:你们的?|您的)?(?:名单|列表|邮件列表)[^。]{0,6}(?:移除|删除|去掉)|删除我的
수신 ?거부|구독 ?(?:취소|해지)|그만 ?(?:보내|연락)|(?:더 ?이상|다시는?) ?(?:연락|보내|메일)[^.]{0,10}(?:마|말|원하지)|삭제해 ?(?:주세요|주십시오)|보내지 ?(?:마|말)|명단에서
(?:إلغاء|الغاء) (?:ال)?اشتراك|لا ترسل\w*|توقف(?:وا)? عن|احذف\w*|(?:إزالة|ازالة) (?:اسمي|بريدي)|عدم (?:مراسلتي|إرسال)
""",
    "meeting": r"""
~(?:have|set up|schedule|book|arrange|hop on|jump on|do|grab|take|accept)(?: \w+){0,3} (?:call|meeting|demo|chat|slot|time|coffee)|(?:let['’]?s|happy to|glad to|can we|could we|shall we|love to|like to|want to) (?:talk|meet|speak|connect|chat|discuss|jump|hop|have a (?:quick )?(?:call|chat|look together))|(?:calendar|calendly) (?:link|invite)|send (?:me |us |over )?(?:an? |the )?invit\w*|demo|show (?:me|us) (?:how|what|the)|walk (?:me|us) through|give me a (?:call|ring)|call me|(?:works|suits|fits|is fine|is good|is ok)(?: for| with)? (?:me|us)|free (?:on|at|after|before|tomorrow|next|this|from)|available (?:on|at|after|tomorrow|next|this)|what times?|pencil|see you (?:on|at|then)|meet (?:up|in person)|reschedul\w+|how about (?:mon|tue|wed|thu|fri|next|tomorrow)\w*
~termin\w*|telefon(?:at|ieren|termin)|anruf\w*|rufen sie (?:mich )?(?:gerne )?an|treffen|gespräch|video(?:call|konferenz)|kennenlernen|vorführ\w*|zeigen sie|passt (?:mir|uns|gut|es|perfekt)|(?:hätte|habe) (?:ich )?(?:\w+ )?zeit|einladung|teams[- ]?(?:call|termin|link)|sprechen wir|wann (?:hätten|passt|können)|austausch\w*|lassen sie uns|vorschlag für einen
~rendez-vous|rdv|(?:un|par) (?:appel|téléphone|call|visio|point)|échang\w+|rencontr\w+|démo(?:nstration)?|appelez[- ]moi|disponib\w+|créneau\w*|me convient|nous convient|ça me va|invitation|se parler|discuter
~reunión|reunirnos|llamada|llám\w+|videollamada|una demo|demostración|agend\w+|hablar|hablemos|me viene bien|nos viene bien|me va bien|disponib\w+|tengo (?:hueco|libre)|invitación|vernos|quedamos
~incontr\w+|riunione|chiamata|chiamat\w+|sentir(?:ci|si)|appuntamento|una demo|call|va bene (?:giovedì|lunedì|martedì|mercoledì|venerdì|alle)|disponibil\w+|vediamoci|invito
~reunião|chamada|ligar|ligue|agendar|marcar|conversar|demonstração|videochamada|convite|fica bem|pode ser (?:na|às|amanhã)
~afspraak|bellen|bel me|afspreken|gesprek|demo|kennismak\w+|uitnodiging|schikt|komt (?:mij|me|goed) uit|agenda
~встре\w+|созвон\w*|позвон\w+|звонок|демо\w*|пообща\w+|подходит|удобно
打ち合わせ|打合せ|面談|お打ち合わせ|ミーティング|会議|デモ|お電話|通話|オンラインで|お話(?:を|し|できれ|伺)|日程|ご都合|お時間
会议|开会|见面|通话|电话(?:沟通|聊)|聊(?:一下|聊)|演示|约(?:个|一|在)|安排(?:一|个)?(?:时间|会|电话)|有空|方便(?:通|见)
미팅|회의|통화|데모|시연|만나|뵙|일정|시간 ?(?:괜찮|되|가능)|가능합니다
اجتماع|لقاء|مكالمة|اتصال|نتحدث|عرض توضيحي|موعد|يناسبني
""",
    "positive": r"""
~interest(?:ed|ing)(?! rate)|sounds (?:good|great|interesting|promising|useful|relevant)|tell me more|(?:like|love|want|happy|keen|curious) to (?:hear|know|learn|see|find out|explore|understand)|curious|intrigu\w+|good timing|perfect timing|exactly what|we (?:are|were) (?:just )?(?:looking|searching) for|(?:on|in) our (?:radar|roadmap)|count me in|(?:i['’]?m|we['’]?re) in\b|great idea|looks (?:good|great|promising|interesting)|open to
~klingt (?:gut|interessant|spannend|vielversprechend|super)|interess(?:iert|ant|e (?:daran|besteht|hätten|haben)|ieren)|spannend|gerne mehr|mehr (?:erfahren|wissen|dazu)|neugierig|genau (?:das|so etwas)|passt (?:gerade|genau)|suchen (?:gerade|aktuell|derzeit|schon)|offen dafür|gern(?:e)?\b
~intéress(?:e|ant|é|ée|és)|ça m['’]intéresse|en savoir plus|curieu(?:x|se)|pourquoi pas|volontiers|tombe bien|avec plaisir|prometteur
~(?:me|nos) interesa|interesante|interesad\w+|suena (?:bien|interesante|genial)|saber más|cuénteme más|cuéntame más|me gustaría (?:saber|conocer)|justo lo que
~interessat\w+|interessante|(?:mi|ci) interessa|saperne di più|curios\w+|volentieri
~interessad\w+|interessante|tenho interesse|temos interesse|saber mais|gostaria de (?:saber|conhecer)|parece (?:bom|interessante|ótimo)
~interessant|geïnteresseerd|klinkt (?:goed|interessant)|meer (?:weten|horen|informatie)|benieuwd|graag meer
~интересн\w*|заинтерес\w+|расскажите (?:подробнее|больше)|хотелось бы узнать|звучит (?:хорошо|интересно)
興味(?:が|は)?(?:あ|ござ|深|を持)|関心(?:が|を)|面白|詳しく(?:お?聞|知り|伺)|ぜひ|検討(?:した|して(?:い|み|お))
感兴趣|有兴趣|想了解|听起来(?:不错|很好)|很有意思|可以了解|正好(?:需要|在找)
관심(?:이|은)? ?(?:있|많|가)|흥미|자세히 ?(?:알|듣)|더 ?알고|좋은 ?제안
مهتم\w*|يهمن\w+|مثير للاهتمام|أود (?:معرفة|أن أعرف)|نود معرفة
""",
    "information": r"""
~(?:can|could|would|please|pls|do) (?:you )?(?:please )?(?:send|share|forward|provide|e-?mail|tell|explain|clarify|confirm|point|give)|send (?:me|us|over|it|the|your|more|some)|(?:more|further|additional) (?:info\w*|details?|material)|(?:do|does|can|is|are|how|what|which|who|where|why|when|have) (?:you|your|it|the|this|that|there|many|much|long)[^.?!\n]{0,80}\?|brochure|datasheet|data sheet|case stud(?:y|ies)|white ?paper|deck|one[- ]pager|references?|documentation|questionnaire|overview
~(?:können|könnten|würden|schicken|senden|mailen) sie (?:mir|uns|bitte|mal|einfach|doch|gern\w*)|unterlagen|broschüre|(?:mehr|weitere|nähere) (?:info\w*|details|angaben)|referenzen|datenblatt|fallstudie|angebot|(?:wie|was|welche\w*|wer|wo|warum|haben|ist|sind|gibt es|bieten|unterstützt|läuft|kann)\b[^.?!\n]{0,90}\?|fragebogen
~(?:pouvez|pourriez|envoyez|pourrais|peux)[- ](?:vous|moi|nous|tu)|envoy\w+[- ](?:moi|nous)|plus d['’](?:infos?|informations?)|(?:des |votre )?(?:brochure|documentation|plaquette|références|présentation)|(?:est-ce que|comment|combien|quel(?:le)?s?|proposez|avez|y a-t-il|où|qui)\b[^.?!\n]{0,90}\?
~(?:puede|podría|pueden|podrían|me|envíe|mánde|envía|pase|páse)\w* (?:enviar|mandar|decir|explicar|pasar|confirmar|más)|envíeme|mándeme|envíame|más (?:información|detalles|info)|folleto|dossier|catálogo|referencias|documentación|¿[^?\n]{0,120}\?
~(?:può|potete|potrebbe|potreste) (?:inviar|mandar|dir|spiegar|confermar)\w*|(?:mandi|invi|mandat|inviat)\w*(?:mi|ci)|(?:più|maggiori|ulteriori) (?:info\w*|dettagli)|brochure|documentazione|referenze|(?:come|quanto|quale|quali|avete|è|c'è)\b[^.?!\n]{0,90}\?
~(?:pode|podem|poderia|poderiam)[^.?!\n]{0,15} (?:enviar|mandar|dizer|explicar|confirmar|partilhar|compartilhar)|envi\w+[- ](?:me|nos)|mais (?:informações|detalhes|info)|(?:como|quanto|qual|quais|vocês|têm|tem)\b[^.?!\n]{0,90}\?
~(?:kunt|kun|zou|kan) (?:u|je|jullie)[^.?!\n]{0,40}(?:sturen|toesturen|mailen|vertellen|uitleggen)|stuur (?:maar|me|mij|ons)|meer info\w*|brochure|(?:hoe|wat|welke|wie|hebben|is|werkt|kost)\b[^.?!\n]{0,90}\?
~(?:пришлите|отправьте|вышлите|скиньте|расскажите|уточните|можете)\b|(?:как|сколько|какие|какой|есть ли|кто|где)\b[^.?!\n]{0,90}\?|подробн\w+
資料|カタログ|事例|送(?:って|付)(?:ください|下さい|いただ)|お送り(?:ください|いただ)|教えて(?:ください|下さい|いただ)|(?:でしょうか|ですか|ますか)[。？?]?|詳細
(?:发|发送|提供|介绍)(?:一下|一份|给我|资料|案例)|资料|案例|(?:吗|呢|多少|什么|如何|怎么|哪些)[？?]|详细
자료|보내 ?(?:주|줄)|알려 ?(?:주|줄)|설명|(?:나요|까요|습니까|는지요|을까)\??|사례|카탈로그
(?:أرسل\w*|إرسال|ارسل\w*|زودن\w+)|هل [^؟?\n]{0,90}[؟?]|(?:كم|كيف|ما|متى|أين) [^؟?\n]{0,90}[؟?]|معلومات|تفاصيل
""",
    "price": r"""
~pric(?:e|es|ing|elist)|how much|costs?\b|quote|quotation|discount\w*|rates?\b|fees?|licen[cs]e (?:cost|fee|model)|per (?:seat|user|month)|invoice|purchase order|procurement|payment terms|contract (?:length|terms?|duration)|terms and conditions|msa\b|rfp|rfq|tender
~preis\w*|kosten|kostet|angebot|rabatt|konditionen|lizenz(?:kosten|modell|gebühr)\w*|pro (?:nutzer|monat)|vertragslaufzeit|einkauf(?:sabteilung)?|ausschreibung|rechnung|bestellung|mindestlaufzeit
~prix|tarif\w*|coûte?\w*|combien|devis|remise|grille tarifaire|contrat|conditions commerciales|appel d['’]offres|facturation|service achats
~precios?|tarifas?|cuánto cuesta|cuesta|coste|costo|presupuesto (?:para|de)|descuento|cotización|oferta económica|licitación|condiciones
~prezz\w+|quanto costa|costi?|preventivo|listino|sconto|offerta
~preços?|quanto custa|custo|orçamento|proposta comercial|desconto|tabela de preços
~prij(?:s|zen)\w*|kost(?:en|prijs)?|offerte|korting|tarie(?:f|ven)
~цен[аыу]\w*|стоим\w+|сколько стоит|скидк\w+|прайс\w*|тариф\w*|коммерческое предложение
価格|料金|費用|見積|いくら|値段|割引|単価
价格|报价|多少钱|费用|折扣|收费|合同
가격|비용|견적|요금|얼마|할인|단가
سعر|أسعار|الأسعار|تكلفة|عرض سعر|خصم|كم (?:السعر|التكلفة)
""",
    "referral": r"""
~(?:not|n['’]t) (?:the|your) (?:right|correct|best) (?:person|contact|guy|one|address)|wrong (?:person|contact|department|address)|(?:right|better|best|correct) (?:person|contact)(?: to| for| is| would)|(?:please |should |could you )?(?:contact|speak (?:to|with)|talk to|reach out to|get in touch with|ask|try) (?:my|our|the|mr|ms|mrs|[A-Z])|colleague|looks after|in charge|responsible for|handles (?:this|that|these|all)|forward(?:ed|ing)? (?:this|your|it)|pass(?:ed|ing)? (?:this|it|your)|cc['’]?(?:ing|ed|d)?\b|copy(?:ing)? in|loop(?:ing)? in|left the company|no longer (?:with|works?|at|employed|responsible)|has left|successor|took over|taken over
~nicht (?:der|die|ihr)? ?(?:richtige|zuständig\w*|ansprechpartner\w*)|(?:zuständig|verantwortlich)\w*|ansprechpartner\w*|wenden sie sich|wende dich|kolleg(?:e|in|en)|weiter(?:geleitet|leiten|gegeben)|in cc|nicht mehr (?:im|bei|für|in der|tätig)|ausgeschieden|nachfolger\w*|das unternehmen verlassen|kümmert sich
~pas (?:la bonne|le bon|l['’])\w* ?(?:personne|interlocut\w+|contact)?|adressez-vous|contactez|collègue|interlocut\w+|en charge|responsable d\w+|transm\w+|transfér\w+|en copie|ne (?:travaille|fait) plus|a quitté|successeur|remplac\w+|voyez avec|s['’]occupe
~no soy (?:la persona|el|la|quien)|persona (?:indicada|adecuada|correcta|responsable)|(?:contacte|hable|escriba|diríjase|póngase)\w*|compañer[oa]|colega|encargad[oa]|responsable de|reenv\w+|en copia|ya no trabaja|dejó la empresa|sustitut\w+|se encarga|lo lleva
~non sono (?:io )?(?:la persona|il referente|il responsabile)|referente|rivol\w+|collega|si occupa|responsabile|inoltr\w+|in copia|non lavora più|ha lasciato
~não sou (?:a pessoa|o responsável|eu)|pessoa (?:certa|indicada|responsável)|fale com|colega|responsável|encaminh\w+|em cópia|já não trabalha|não trabalha mais|saiu da empresa
~niet de juiste|collega|verantwoordelijk|contact op(?:nemen)? met|doorgestuurd|werkt (?:hier )?niet meer|gaat (?:hier )?over|moet je (?:bij|zijn)
~не (?:ко мне|тот|я)|коллег\w+|обрат\w+ к|занимается|отвечает|ответственн\w+|переслал\w*|больше не работает|уволил\w+
担当(?:者|は|で|が|外)|部署|退職|異動|転送|引き継|後任|担当ではな
负责(?:人|的|这)?|同事|离职|转(?:给|发)|联系(?:我|我们)?的?同事|请(?:找|联系)|不是我
담당(?:자|이|은)?|동료|퇴사|전달(?:했|하)|부서|문의(?:하|해)
زميل\w*|المسؤول|مسؤول عن|تواصل(?:وا)? مع|لست الشخص|غادر|لم يعد يعمل
""",
    "later": r"""
~not (?:right )?now|(?:maybe|perhaps|try|check|reach|circle|touch|come|get|ping|contact|talk|write|call)[^.?!\n]{0,25} (?:back|again|later|next)|later (?:this|in|on|maybe)|next (?:year|quarter|month|spring|summer|autumn|fall|season)|in (?:a few|\d+|two|three|six|several|a couple of) (?:weeks|months)|(?:bad|not (?:a )?(?:good|great|right)) (?:time|moment|timing)|too (?:early|soon)|after (?:the|our|q[1-4]|easter|christmas|summer|january|february|march|april|may|june|july|august|september|october|november|december)|not (?:a priority|on our (?:list|roadmap)|this (?:year|quarter))|(?:on|put on) hold|frozen|postpon\w+|revisit|down the (?:road|line)|until (?:then|after|q[1-4])|busy (?:period|season|with)|mid[- ]migration|no (?:capacity|bandwidth)|swamped|keep (?:me|us) (?:in mind|posted)|for (?:the )?(?:time being|now|this year)|at the moment
~(?:derzeit|momentan|aktuell|zurzeit|gerade|jetzt|heuer|dieses jahr) (?:kein\w*|nicht|leider|zu)|später|nächstes? (?:jahr|quartal|monat)|nächsten monat|im (?:neuen jahr|frühjahr|herbst|januar|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember|q[1-4]|sommer)|in (?:\d+|zwei|drei|sechs|ein paar|einigen) (?:wochen|monaten)|melden sie sich|noch einmal|nochmal|wieder (?:melden|anschreiben|sprechen)|keine (?:zeit|kapazität\w*|priorität)|zu früh|verschoben|auf eis|zurückgestellt|kein guter zeitpunkt|nach (?:dem|der|ostern|weihnachten)
~pas (?:maintenant|pour le moment|pour l['’]instant|le (?:bon )?moment|cette année|une priorité|d['’]actualité)|plus tard|l['’]an(?:née)? prochain\w*|(?:le )?(?:mois|trimestre) prochain|dans (?:\d+|deux|trois|six|quelques) (?:mois|semaines)|recontact\w+|revenez|relanc\w+|reparl\w+|après (?:les|la|le)|en (?:janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre)|à la rentrée|trop tôt|reporté|pas le temps
~ahora (?:no|mismo no)|no (?:ahora|es (?:el )?(?:buen )?momento|es prioridad|es una prioridad)|más adelante|el (?:próximo )?año (?:que viene|próximo)|próximo (?:año|trimestre|mes)|dentro de (?:\d+|dos|tres|seis|unos)|en (?:enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre)|vuelv\w+ a|de momento|por ahora|después de|tras el|aplazad\w+|pospuest\w+
~non (?:ora|adesso|è (?:il )?momento|è una priorità)|più avanti|(?:il )?prossimo anno|anno prossimo|tra (?:\d+|due|tre|sei|qualche) (?:mesi|settimane)|per (?:ora|il momento)|dopo (?:l['’]estate|le|il)|rinviat\w+|ricontatt\w+|risent\w+
~agora não|mais tarde|no próximo (?:ano|trimestre|mês)|ano que vem|daqui a|por (?:agora|enquanto)|de momento|volt\w+ a (?:falar|contactar)|não é (?:o momento|prioridade|uma prioridade)|depois d\w+
~niet nu|nu (?:even )?(?:niet|geen)|later|volgend (?:jaar|kwartaal)|over (?:een paar|\d+|twee|drie) (?:maanden|weken)|momenteel|op dit moment|voorlopig|geen (?:tijd|prioriteit)|na de (?:zomer|vakantie)
~не сейчас|сейчас (?:не|нет)|позже|в следующем (?:году|квартале|месяце)|через (?:\d+|пару|два|три|полгода|несколько)|пока (?:не|нет)|вернёмся|вернемся|после нового года|не приоритет
今(?:は|のところ|回は|すぐ)|来(?:年|期|月|年度)|後日|また(?:の機会|改めて|ご連絡|その)|時期(?:が|では|尚早)|落ち着(?:いたら|いてから)|か月後|ヶ月後
(?:现在|目前|暂时)(?:不|没|还|太)|以后|明年|下(?:个)?(?:季度|个月|半年)|年后|过(?:几|段|一段)|再(?:说|联系|聊|看)|等(?:我们|明年|预算)
지금은|나중에|내년|다음 ?(?:분기|달|해)|(?:개월|달) ?(?:후|뒤)|당분간|현재(?:는|로서)|추후
ليس الآن|في وقت لاحق|لاحقا|لاحقًا|العام القادم|السنة القادمة|بعد (?:شهر|رمضان|العيد)|حاليا|حاليًا|الربع القادم
""",
    "no": r"""
~not? (?:really |currently |at all )?interest(?:ed)?|no (?:thanks|thank you|interest|need)|(?:we|i)(?:['’]?ll| will)? (?:have to )?pass\b|we['’]?re (?:good|fine|all set|ok|covered|sorted)|all set|not (?:for us|relevant|a fit|a good fit|something we)|(?:don['’]?t|do not) (?:need|see (?:the|a|any))|decline|nope|hard pass|thanks but no
~kein(?:en|e)? (?:interesse|bedarf|thema)|nicht interessiert|nein,? danke|nö|kommt (?:für uns )?nicht (?:in frage|infrage)|brauchen wir nicht|nicht relevant|wir verzichten|danke,? nein|sind versorgt|passt nicht zu uns|müssen (?:leider )?absagen|sehen (?:wir )?davon ab
~pas intéress\w+|non,? merci|(?:aucun|pas) (?:intérêt|besoin|d['’]intérêt)|pas besoin|ne (?:nous|m['’]) ?(?:intéresse|concerne|correspond)\w* pas|sans suite|pas pour nous|ne souhait\w+ pas
~no (?:me|nos) interesa|no (?:estoy|estamos) interesad\w+|no,? gracias|sin interés|no (?:lo )?necesitamos|no es para nosotros|no procede
~non (?:siamo|sono) interessat\w+|no,? grazie|non (?:ci|mi) interessa|non (?:ne )?abbiamo bisogno|nessun interesse
~não (?:temos|tenho|há) interesse|não,? obrigad\w+|não (?:nos )?interessa|não (?:estamos|estou) interessad\w+|não precisamos
~geen (?:interesse|behoefte)|niet geïnteresseerd|nee,? (?:bedankt|dank)|niet nodig|niks voor ons
~не (?:интересно|интересует|заинтересован\w*|нужно|актуально|требуется)|нет,? спасибо|неактуально
(?:興味|関心|必要|ニーズ)(?:は|が)?(?:ござい|あり)?(?:ません|ない)|不要です|結構です|見送(?:り|らせ)|お断り|遠慮
(?:不|没有?)(?:感)?兴趣|不需要|不用(?:了|谢)?|没有需求|谢绝
관심(?:이|은)? ?(?:없|않)|필요(?:가|는|하지)? ?(?:없|않)|괜찮습니다|사양
(?:غير|لست|لسنا) مهتم\w*|لا (?:شكرا|شكرًا|نحتاج|يهمنا|أرغب|نرغب)
""",
    "thanks": r"""
~thanks?|thank you|thx|cheers|received|got it|noted|will (?:have a |take a )?(?:look|read|review|check|revert|get back)|(?:i['’]ll|i will|we['’]ll|let me) (?:look|read|review|check|think|get back|discuss|take a look|have a look|pass)|ack\b|understood
~dank\w*|erhalten|angekommen|notiert|schaue? (?:ich |es |mir )|sehe? (?:ich )?mir|melde mich|zur kenntnis|verstanden
~merci|bien reçu|bien noté|je (?:regarde|vais regarder|reviens vers vous)|pris note|entendu
~gracias|recibido|lo (?:miro|reviso|veré|leo)|tomo nota|enterad\w+|entendido
~grazie|ricevuto|(?:lo|la) (?:guardo|leggo|guarderò)|preso nota
~obrigad\w+|recebido|vou (?:ver|analisar|ler)|anotado
~bedankt|dank|ontvangen|ik kijk|genoteerd|begrepen
~спасибо|получил\w*|посмотр\w+|ознаком\w+|принято|понял\w*
ありがとう|拝受|受領|確認(?:いた|し)|承知|了解|受け取り
谢谢|收到|知道了|我(?:会|先)看|了解了|好的
감사|잘 받|확인(?:했|하|해)|알겠
شكرا|شكرًا|وصل\w*|استلم\w*|سأطلع|سوف أراجع
""",
    "budget": r"""
~(?:no|don['’]?t have|without|lack of|limited|tight|zero|cut) (?:a |the |any |our )?budget\w*|budget\w* (?:is|are|has been|was|were)? ?(?:cut|frozen|gone|spent|tight|exhausted|used up|limited|already)|too (?:expensive|pricey|costly|much money)|can(?:no|['’]?)t (?:afford|justify|pay)|out of (?:our )?(?:budget|price range)|over (?:our )?budget|(?:spending|hiring) freeze|cost[- ]cutting|no money|more than we (?:can|want to|are willing to)|price is (?:too )?(?:high|steep)|steep
~kein(?:e[nr]?)? (?:budget|geld|mittel)|budget\w* (?:ist |sind )?(?:\w+ )?(?:aufgebraucht|eingefroren|gestrichen|gekürzt|verplant|knapp|erschöpft|ausgeschöpft|begrenzt)|zu teuer|nicht leisten|kostendruck|sparkurs|sparmaßnahmen|haushaltssperre|sprengt
~(?:pas|plus|aucun) (?:de |le )?budget|trop (?:cher|chers|chère|coûteux|onéreux)|budget\w* (?:est |sont )?(?:\w+ )?(?:gelé|bouclé|épuisé|serré|limité|réduit)\w*|pas les moyens|hors budget
~(?:no|sin) (?:tenemos |hay |dispongo de |disponemos de )?presupuesto|demasiado car\w+|muy car\w+|(?:se )?(?:sale|fuera) (?:de|del) presupuesto|presupuesto (?:está |muy )?(?:congelado|agotado|cerrado|ajustado|limitado)|no podemos (?:permitírnoslo|pagar)|recorte\w*
~(?:non (?:abbiamo|c['’]è)|senza|nessun) (?:il )?budget|troppo (?:car\w+|costos\w+)|budget (?:è )?(?:esaurito|bloccato|limitato)|fuori budget
~(?:não (?:temos|há)|sem) (?:orçamento|verba|budget)|muito caro|caro demais|orçamento (?:está )?(?:congelado|esgotado|limitado|fechado)
~geen budget|te duur|budget (?:is )?(?:op|bevroren|krap|beperkt)
~нет (?:бюджета|денег|средств)|бюджет\w* (?:не|закрыт|заморожен|урезан|исчерпан)\w*|(?:слишком |очень )?дорого
予算(?:が|は)?(?:な|ありませ|ござい|取れ|確保でき|厳し|凍結|使い切)|(?:高|高額)(?:い|すぎ|過ぎ|で)|コストが
没有?预算|预算(?:不足|有限|已|紧|被|冻结|用完)|太贵|价格(?:太|偏)高|超出预算
예산(?:이|은)? ?(?:없|부족|동결|소진|빠듯)|(?:너무|많이) ?비[싸쌉]|비쌉
(?:لا|ليس) (?:توجد|لدينا|يوجد) ميزانية|ميزانية محدودة|(?:غالي|مكلف) جدا?|باهظ
""",
    "authority": r"""
~not my (?:decision|call|area|responsibility|department|remit)|(?:don['’]?t|do not|can['’]?t|cannot) (?:make (?:the|that|this|these)? ?(?:decision|call)s?|decide)|above my (?:pay ?grade|level)|(?:needs?|have|has) to (?:be )?(?:approved?|sign(?:ed)? off|ask|go through|check with|run (?:it|this) (?:by|past))|decided (?:by|at|in) (?:hq|head ?quarters|headquarters|group|the|our|my)|(?:head ?quarters|hq|head office|parent company|group|corporate) (?:decides|makes|handles|has)|my (?:boss|manager|director) (?:decides|would|has|needs)|no (?:say|authority|influence)
~nicht (?:meine|unsere) entscheidung|entscheide(?:t|n)? (?:das |darüber |hier |bei uns )?(?:nicht|die|der|unsere?|mein|leider|ein)|(?:muss|müsste) (?:erst |das |noch )?(?:die |der |mein\w* |mit )?(?:geschäftsführung|chef\w*|vorgesetzt\w*|vorstand|zentrale)|liegt nicht (?:bei mir|in meiner)|(?:zentrale|konzern|mutter(?:konzern|gesellschaft)?) (?:entscheidet|macht|gibt)|nicht befugt
~pas (?:ma|moi|de ma)? ?(?:décision|qui décide|compétence)|(?:ne )?décide pas|(?:c['’]est|se décide) (?:le siège|la direction|au siège|mon patron|mon chef|au niveau)|(?:valid\w+|accord) (?:de |par )(?:ma|mon|la|le) (?:direction|directeur|directrice|siège|hiérarchie)
~no (?:es mi decisión|decido|depende de mí|me corresponde|tomo)|(?:lo )?decide\w* (?:la|el|mi|en|desde)|depende de (?:la central|mi jef\w+|dirección)|aprob\w+ (?:de|por) (?:la|mi)
~non (?:decido|è una mia decisione|dipende da me)|decide (?:la|il|mio|mia)|(?:non sono io a|deve) (?:decidere|approvare)
~não (?:sou eu|é minha decisão|decido|depende de mim)|quem decide|decisão (?:é|da) (?:da |do )?(?:diretoria|direção|matriz|chefe)
~niet (?:mijn beslissing|aan mij|bevoegd)|beslis(?:t|singen)? (?:niet|het hoofdkantoor|mijn)|hoofdkantoor
~не (?:моё|мое|я) решени\w*|решаю не я|решает|не решаю|не уполномочен
(?:私|自分)(?:では|に)?(?:決め|判断|決裁)|決裁(?:権|者)|本社(?:が|で)|上司(?:の|に|が)|権限
(?:我)?(?:做不了主|不能决定|无权)|(?:总部|领导|老板|上级)(?:决定|审批|批准|说)|不是我决定
(?:제가|저는)? ?결정(?:권|할 ?수|하지)|본사(?:에서|가)|상사(?:의|가|에게)|권한
(?:ليس|لست) (?:قراري|صاحب القرار)|القرار (?:ليس|بيد|لدى)|(?:الإدارة|المدير) (?:يقرر|تقرر)
""",
    "need": r"""
~(?:don['’]?t|do not|no) (?:really )?(?:need|have (?:a|any) need|see (?:the|a|any) (?:need|value|benefit|use)|require)|no (?:need|use case|pain)|in[- ]house|internally|our own (?:team|tool|solution|system)|built (?:our own|it ourselves|one)|do(?:ing)? (?:it|this|that) ourselves|already (?:solved|covered|have (?:it|this|that|everything|someone|something|a (?:team|process)))|works? (?:fine|well) (?:for us|as it is|as is)|not (?:a problem|an issue) (?:for us|we have)|too small (?:for|to)|excel is (?:enough|fine)
~kein(?:en|erlei)? bedarf|brauchen (?:wir|das|so etwas|sowas)? ?(?:das |so etwas |sowas |derzeit |aktuell )?(?:nicht|kein)|(?:intern|selbst|selber|inhouse|in eigenregie|eigene (?:lösung|entwicklung|abteilung))\b|(?:bereits|schon) (?:gelöst|abgedeckt|versorgt)|kein (?:problem|thema) (?:bei|für) uns|zu klein (?:für|dafür)|keinen (?:nutzen|mehrwert)|excel reicht
~pas (?:de )?besoin|(?:aucun|pas d['’]) ?(?:besoin|utilité|intérêt pour)|en interne|(?:nous[- ]mêmes|notre propre)|déjà (?:ce qu['’]il faut|résolu|couvert|équip\w+)|trop petits?
~no (?:lo |tenemos |hay )?necesi\w+|internamente|(?:solución|desarrollo|equipo|herramienta) propi\w+|nosotros mismos|ya (?:lo )?(?:tenemos (?:resuelto|cubierto|algo)|está (?:resuelto|cubierto))|demasiado pequeñ\w+
~non (?:ne )?(?:abbiamo|c['’]è) bisogno|internamente|soluzione (?:interna|propria)|già (?:risolto|coperto)|facciamo da soli
~não (?:precisamos|necessitamos|há necessidade)|internamente|solução própria|já (?:resolv\w+|temos (?:isso|uma solução interna))
~(?:geen behoefte|niet nodig)|intern|zelf (?:gebouwd|ontwikkeld|oplossen)|eigen (?:oplossing|team|systeem)
~нет (?:необходимости|потребности)|не (?:нужно|требуется|нуждаемся)|собственн\w+ (?:решени\w+|разработк\w+|команд\w+)|сами (?:делаем|справляемся)|своими силами
(?:必要(?:は|が|性)?(?:な|ござい|あり|感じ))|ニーズ(?:が|は)な|自社(?:開発|で|内)|内製|社内で|間に合って
不需要|没有?(?:需求|必要)|自己(?:开发|做|研发|有)|内部(?:团队|系统|解决)|已经(?:解决|有了)
필요(?:가|는|성)? ?(?:없|않|못)|자체(?:적으로|| 개발| 솔루션)|내부(?:에서|적으로)|직접 ?(?:개발|처리)
(?:لا نحتاج|لسنا بحاجة|لا حاجة)|داخليا|داخليًا|فريقنا الداخلي|حل داخلي
""",
    "competition": r"""
~(?:already|currently|happily)? ?(?:use|using|work(?:ing)? with|signed with|partner(?:ed|ing)? with|customers? of|went with|chose|chosen|committed to|locked in(?:to)? with|running|on) (?:a |an |our )?(?:another|different|existing|current|other|competing|(?!(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|september|october|november|december)(?-i:[A-Z])\w+)(?: (?:vendor|provider|supplier|solution|tool|partner|agency|system))?|happy (?:with|customers? of)|existing (?:vendor|provider|supplier|contract|solution|partner)|(?:have|got) (?:a|an) (?:existing |long[- ]term |current )?(?:vendor|provider|supplier|solution|tool|partner|agency|contract)|competitor|cheaper (?:offer|alternative|option)|just (?:renewed|signed|switched|implemented|rolled out)|compared? (?:to|with)|under contract
~(?:nutzen|verwenden|arbeiten|setzen)[^.?!\n]{0,30} (?:bereits|schon|mit|auf|derzeit|aktuell)|(?:nutzen|verwenden|haben) (?:(?:bereits|schon) )?seit|(?:zufrieden|glücklich) mit|(?:bestehende\w*|anderen?|aktuellen?|bisherige\w*|festen?) (?:anbieter|dienstleister|lieferant\w*|partner|lösung|vertrag|system)|haben (?:schon |bereits )?(?:einen|eine) (?:anbieter|dienstleister|lösung|partner|lieferanten|agentur|vertrag)|wettbewerb\w*|mitbewerb\w*|günstigere\w* (?:angebot|alternative|anbieter)|vertraglich gebunden|gerade (?:verlängert|eingeführt|unterschrieben|abgeschlossen)
~(?:utilisons|travaillons|utilise|travaille) (?:déjà|avec|actuellement|(?-i:[A-Z])\w+ depuis)|déjà (?:un|une|équipés?|client\w*|engagés?)|(?:satisfaits?|contents?) (?:de|d['’]|avec)|(?:prestataire|fournisseur|partenaire|solution|outil) (?:actuel\w*|en place|existant\w*)|concurren\w+|sous contrat|venons de (?:signer|renouveler|changer)|moins cher
~(?:ya )?(?:usamos|utilizamos|trabajamos) (?:ya |con|actualmente)?|ya (?:tenemos|contamos con) (?:un|una|proveedor|otro)|(?:contentos|satisfechos|felices) con|(?:otro|nuestro|actual) (?:proveedor|partner|socio)|competencia|acabamos de (?:firmar|renovar|contratar|cambiar)|contrato (?:vigente|con)|más barat\w+
~(?:usiamo|utilizziamo|lavoriamo|collaboriamo) (?:già|con)|abbiamo già (?:un|una)|(?:contenti|soddisfatti) (?:di|del|della|con)|altro fornitore|fornitore attuale|concorren\w+|appena (?:firmato|rinnovato)
~(?:já )?(?:usamos|utilizamos|trabalhamos com)|já temos (?:um|uma|fornecedor|outro)|(?:satisfeitos|felizes|contentes) com|(?:outro|atual) fornecedor|concorrent\w+|acabámos de|acabamos de
~(?:gebruiken|werken) (?:al|reeds|met)|(?:tevreden|blij) (?:met|over)|(?:vaste|huidige|andere) (?:leverancier|partner|aanbieder)|hebben (?:al|reeds) een|net (?:verlengd|getekend)
~(?:уже )?(?:используем|работаем с|пользуемся|сотрудничаем)|(?:довольны|устраивает)|друг\w+ (?:поставщик\w*|решени\w+|вендор\w*)|уже есть (?:поставщик|подрядчик|решение)|конкурент\w*
(?:他社|別の|現在の|既存の)(?:製品|サービス|ベンダー|業者|ツール|システム|取引先)?|(?:既|すで)に(?:\S{0,20})(?:導入|利用|使用|契約|使って)|を(?:利用|使用)して(?:い|お)|競合|契約(?:中|したばかり|を更新)
(?:已经?|正|目前)(?:在)?(?:使用|用|合作|采用)|(?:其他|别的|现有|另一家)(?:供应商|厂商|产品|服务商|方案)?|竞争对手|有(?:合作|固定)的?(?:供应商|伙伴)|刚(?:续约|签)
(?:이미|현재) ?\S{0,15} ?(?:사용|이용|쓰고|도입|거래|계약)|(?:다른|타사|기존) ?(?:업체|제품|솔루션|서비스|공급)|경쟁사|만족하고
نستخدم (?:بالفعل|حاليا|حاليًا)?|نتعامل مع|مورد (?:آخر|حالي)|راض\w+ عن|لدينا (?:مورد|حل)|منافس\w*
""",
    "technical": r"""
~(?:does|do|doesn['’]?t|would|will|can|won['’]?t|can['’]?t) (?:not )?(?:it |you |this |that |your \w+ )?(?:not )?(?:integrat\w+|connect|sync|support|work with|run on|scale|handle|fit)|integrat\w+|\bapi\b|\bsso\b|saml|on[- ]prem\w*|self[- ]host\w*|compatib\w+|missing (?:feature|functionality)|lacks?\b|webhook\w*|\bsdk\b|latency|uptime|\bsla\b|architecture|legacy|migration|data (?:model|format)|oauth|scim|kubernetes|docker|database|encryption|\bcrm\b|\berp\b|\bsap\b|endpoint|rate limit
~schnittstelle\w*|anbindung\w*|integration\w*|integrier\w+|kompatib\w+|on-?premise|selbst (?:hosten|betreiben)|funktion(?:en|sumfang)? (?:fehlt|fehlen)|unterstützt\w*|systemlandschaft|migration|verschlüssel\w+|rechenzentrum|technisch\w*
~intégr\w+|compatib\w+|connecteur\w*|interfa\w+|fonctionnalité\w*|héberg\w+|technique\w*|chiffrement
~integra\w*|compatib\w+|conector\w*|funcionalidad\w*|técnic\w+|cifrado|alojamiento|servidores
~integra\w*|compatibil\w+|funzionalità|tecnic\w+|crittografia
~integra\w*|compatív\w+|funcionalidade\w*|técnic\w+|criptografia
~integr\w+|koppeling\w*|compatib\w+|functionalite\w+|technisch\w*
~интегр\w+|совместим\w+|техническ\w+|функционал\w*
連携|統合|互換|機能|技術|オンプレ|仕様|暗号化
集成|对接|接口|兼容|功能|技术|部署|加密
연동|통합|호환|기능|기술|구축|암호화
تكامل|متوافق|تقني\w*|ميزة|التشفير
""",
    "risk": r"""
~(?:security|privacy|data protection|compliance|lock[- ]?in|vendor risk|legal) (?:concern|issue|risk|problem|reason|review|team|policy|department|objection)\w*|(?:concern|worr|nervous|uneasy|hesita|afraid|cautious|reluctan)\w*[^.?!\n]{0,60} (?:security|privacy|data|cloud|lock|trust|compliance|risk|legal|startup|small)|lock(?:ed)?[- ]?in\b|too risky|risky|(?:don['’]?t|do not|can['’]?t) trust|(?:can['’]?t|cannot|not allowed to|may not|won['’]?t) (?:put|store|send|share|move|host|use)[^.?!\n]{0,40} (?:data|cloud|us servers|outside)|data (?:leaves?|leaving|outside)|breach\w*|never heard of|(?:small|young|unknown) (?:company|vendor|startup)|what happens if you (?:go|are|get)
~datenschutz(?:bedenken|rechtlich\w*|beauftragt\w*|gründen|problem\w*|risiko)?[^.?!\n]{0,30}(?:bedenken|problem|kritisch|schwierig|risiko|nicht)|bedenken|sicherheitsbedenken|(?:zu )?riskant|risiko|abhängigkeit|lock-?in|(?:kein|wenig) vertrauen|us-?cloud|außerhalb der eu|drittland|betriebsrat
~(?:inquiet|inquièt|craign|crain|préoccup|réticen|méfi)\w*|(?:trop )?risqué\w*|risque\w*|sécurité (?:de|des) (?:nos )?données|verrouillage|pas confiance|hors (?:de l['’])?(?:ue|europe)
~(?:preocup|inquiet)\w+|riesg\w+|arriesgad\w+|(?:seguridad|privacidad|protección) (?:de )?(?:los |nuestros )?datos|dependencia del proveedor|no (?:nos )?fiamos|desconfi\w+
~(?:preoccup|timor)\w+|rischi\w+|sicurezza dei dati|privacy|non ci fidiamo
~(?:preocup|receio)\w+|risco\w*|arriscad\w+|segurança dos dados|privacidade|não confiamos
~(?:zorgen|bezorgd)|risico\w*|riskant|privacy|beveiliging|afhankelijk\w*
~(?:опасаемся|беспоко\w+|риск\w*|рискованно)|безопасност\w+|персональн\w+ данн\w+|не доверяем
(?:セキュリティ|情報漏|個人情報)(?:\S{0,10})(?:不安|懸念|心配|リスク)|リスク|不安|懸念|心配
(?:担心|顾虑|风险|不放心)|数据安全|隐私|不信任
(?:보안|개인정보)\S{0,8} ?(?:우려|걱정|문제)|위험|리스크|우려|걱정|신뢰
(?:قلق\w*|مخاوف|مخاطر\w*|خطر)|أمن البيانات|الخصوصية
""",
    "legal": r"""
~gdpr|dsgvo|ccpa|data (?:subject|protection (?:officer|authority))|(?:article|art\.?) ?\d+|where did you (?:get|find|obtain|source) (?:my|our)|how did you (?:get|obtain|find|come by) (?:my|our)|legal (?:action|department|steps|proceedings|counsel|team)|lawyer|attorney|solicitor|lawsuit|sue\b|cease and desist|report (?:you|this|it) to|supervisory authority|regulator|unlawful|illegal|consent(?:ed)?\b|can[- ]spam|right to (?:erasure|be forgotten|access)|breach of|liabilit\w+|indemni\w+|\bdpa\b|data processing agreement|\bnda\b
~dsgvo|datenschutz(?:beauftragt\w*|behörde|recht\w*|verstoß|auskunft|grundverordnung)|woher haben sie (?:meine|unsere)|auskunft (?:nach|gemäß|gem\.|über)|(?:art\.?|artikel) ?\d+|rechtsanwalt|anwalt|rechtsabteilung|abmahn\w+|unterlassung\w*|rechtliche schritte|uwg|unzulässig|einwilligung|anzeige erstatten|auftragsverarbeitung\w*|avv\b
~rgpd|cnil|données personnelles|avocat|service juridique|poursuites|illégal\w*|consentement|mise en demeure|plainte|(?:où|comment) avez-vous (?:eu|obtenu|trouvé) (?:mon|mes|nos)
~rgpd|lopd\w*|aepd|protección de datos|abogad\w+|departamento (?:legal|jurídico)|acciones legales|denunci\w+|ilegal\w*|consentimiento|de dónde (?:ha|han|habéis) (?:sacado|obtenido)
~gdpr|garante|avvocat\w+|ufficio legale|vie legali|illegal\w*|consenso|dove avete (?:preso|trovato)
~lgpd|rgpd|proteção de dados|advogad\w+|jurídic\w+|ilegal\w*|consentimento|onde (?:conseguiram|obtiveram)
~avg|gdpr|autoriteit persoonsgegevens|advocaat|juridisch\w*|toestemming|hoe komt u aan
~юрист\w*|адвокат\w*|закон\w*|персональны[хе] данны[хе]|суд\b|жалоб\w+|роскомнадзор|согласи[яе]
個人情報保護|弁護士|法務|法的|違法|どこで(?:私|当社|この)?\S{0,10}(?:入手|知)|特定電子メール法
律师|法务|法律|违法|起诉|投诉|个人信息保护|从哪里?(?:得到|获得|拿到)
변호사|법무|법적|불법|개인정보 ?보호법|어디서 ?\S{0,8}(?:얻|알)|신고
محام\w*|قانون\w*|الإدارة القانونية|مقاضا\w+|شكوى رسمية
""",
    "anger": r"""
~spam\w*|harass\w*|(?:sick|tired) of|annoy\w*|rude|pushy|unprofessional|ridiculous|outrageous|disgust\w*|how dare|waste of (?:my |our )?time|wasting (?:my|our) time|pathetic|idiot\w*|bullshit|damn|hell|f\*+|fuck\w*|piss\w*|fed up|third (?:e-?mail|time)|nth time|shame on|unacceptable|complain\w*|leave me alone
~belästig\w*|unverschämt\w*|frech\w*|nerv(?:t|en|ig)\w*|genervt|unseriös|zeitverschwendung|unprofessionell|sauer|verärgert|wütend|beschwer\w+|spam\w*|schon wieder|zum (?:letzten|dritten|zigsten) mal|penetrant|ärgerlich|unerhört|lasst mich
~harcèl\w*|insupportable|marre|ras le bol|pénible|scandaleux|inadmissible|inacceptable|honteux|perte de temps|spam\w*|énerv\w+|agac\w+
~acoso|harto|hart[oa]s?|molest\w+|inaceptable|vergüenza|pérdida de tiempo|spam|pesad[oa]s|indignante|queja
~molest\w+|stuf\w+|inaccettabil\w+|vergogn\w+|perdita di tempo|spam|basta
~assédio|fart[oa]|inaceitável|vergonha|perda de tempo|spam|chega|irritante
~lastig\w*|irritant\w*|onacceptabel|schandalig|tijdverspilling|spam|zat\b
~надоел\w*|достал\w*|спам\w*|хамств\w+|безобрази\w+|возмут\w+|трата времени
迷惑|しつこい|不愉快|失礼|いい加減|うんざり|腹が立
骚扰|烦|垃圾邮件|无耻|浪费(?:我的)?时间|过分|受够
짜증|불쾌|스팸|무례|지긋지긋|그만 ?좀|화가
مزعج\w*|إزعاج|وقاحة|غير مقبول|مضيعة للوقت|سخيف
""",
    "delicate": r"""
~passed away|died|death|bereave\w*|funeral|deceased|insolven\w*|bankrupt\w*|receivership|administration proceedings|chapter 11|laid off|layoffs?|redundan\w+|cancer|hospital|seriously ill|illness|sick leave|surgery|wind(?:ing)? (?:down|up)|closing (?:down|the business)|ceas(?:e|ing) (?:trading|operations)
~verstorben|gestorben|todesfall|trauer\w*|insolven\w+|konkurs|schwer erkrankt|erkrankt|krankheit|krankenhaus|stellenabbau|entlassen|geschäftsaufgabe|stellen den betrieb ein
~décéd\w+|décès|deuil|faillite|redressement judiciaire|liquidation|malad\w+|hôpital|licenci\w+|cessation d['’]activité
~falleci\w+|muerte|luto|quiebra|concurso de acreedores|enferm\w+|hospital\w*|despid\w+|cierre de la empresa
~deced\w+|scompars\w+|lutto|fallimento|malat\w+|ospedale|licenziat\w+
~falec\w+|luto|falência|insolvência|doen\w+|hospital\w*
~overleden|rouw|failliet|faillissement|ernstig ziek|ziekenhuis|ontslagen
~скончал\w+|умер\w*|похорон\w+|банкрот\w+|болезн\w+|больниц\w+
逝去|亡くな|他界|訃報|倒産|破産|民事再生|入院|病気
去世|过世|丧事|破产|倒闭|住院|生病|裁员
별세|사망|부고|파산|폐업|입원|투병
توفي\w*|وفاة|إفلاس|مرض\w*|المستشفى
""",
    "urgent": r"""
~urgent\w*|asap|as soon as possible|immediately|right away|today|this (?:morning|afternoon)|within (?:the )?hour|deadline|time[- ]sensitive|critical|emergency|eod|by tomorrow|by (?:the )?end of (?:the )?day|quickly|right now please
~dringend\w*|eilig|eilt|sofort|umgehend|so (?:schnell|bald) wie möglich|schnellstmöglich|heute|unverzüglich|zeitkritisch|frist|bis morgen|asap
~urgen\w+|au plus vite|dès que possible|immédiatement|aujourd['’]hui|rapidement|délai|dans l['’]heure|au plus tôt
~urgen\w+|lo antes posible|cuanto antes|inmediatamente|hoy(?: mismo)?|de inmediato|plazo
~urgen\w+|il prima possibile|subito|immediatamente|oggi
~urgen\w+|o mais rápido possível|o quanto antes|imediatamente|hoje
~dringend|spoed|zo snel mogelijk|onmiddellijk|vandaag
~срочно|как можно скорее|немедленно|сегодня
至急|緊急|早急|本日中|すぐに|お急ぎ
紧急|尽快|马上|立即|今天|急
긴급|급하|급히|빠른 ?시일|최대한 ?빨리|오늘|즉시
عاجل\w*|فورا|فورًا|بأسرع|اليوم
""",
}

# Jobs that show a role in a purchase.
ROLES: dict[str, str] = {
    "executive": r"\b(?:c[etfmiop]o|ciso|chro|cdo|cpo|chief [\w &]{2,30} officer|chair(?:man|woman|person)?|managing director|(?<!vice )(?<!vice-)president(?! assistant)|founder|co-?founder|geschäftsführer(?:in)?|geschäftsleitung|vorstand(?:svorsitzende[r]?|smitglied)?|aufsichtsrat\w*|pdg|président(?:e)?[- ]directeur|directeur général|directrice générale|président(?:e)?|dg|consejer[oa] delegad[oa]|director(?:a)? general|presidente|amministratore delegato|direttore generale|diretor(?:a)? geral|algemeen directeur|bestuursvoorzitter|генеральный директор|гендиректор)\b|代表取締役|社長|取締役|会長|总裁|董事长|首席\w+官|总经理|대표(?:이사)?|회장|사장|الرئيس التنفيذي|المدير العام",
    "decision_maker": r"\b(?:vp|vice[- ]president|svp|evp|head of|director(?! of photography)|owner|partner|inhaber(?:in)?|leiter(?:in)?|bereichsleiter(?:in)?|abteilungsleiter(?:in)?|prokurist(?:in)?|directeur|directrice|directora?|jef[ea] de|direttore|direttrice|diretora?|hoofd|directeur|gérante?|директор|начальник)\b|\w+leiter(?:in)?\b|部長|本部长|总监|部门经理|本部長|부장|이사|본부장|مدير (?:إدارة|قسم)",
    "influencer": r"\b(?:manager|lead|architect|consultant|specialist|team ?lead(?:er)?|teamleiter(?:in)?|projektleiter(?:in)?|responsable|chef de projet|responsabile|coordinator|coordinador(?:a)?|principal|senior engineer|менеджер)\b|課長|係長|经理|主管|과장|차장|팀장",
    "user": r"\b(?:engineer|developer|analyst|sdr|bdr|account executive|sales rep\w*|accountant|administrator|entwickler(?:in)?|sachbearbeiter(?:in)?|référent\w*|développeu(?:r|se)|ingénieur|desarrollador(?:a)?|analista|sviluppatore|programmeur)\b|エンジニア|工程师|개발자|사원|대리",
    "gatekeeper": r"\b(?:(?:executive |personal |team )?assistant(?: to)?|office manager|secretary|receptionist|assistenz|assistent(?:in)?(?: der)?|sekretariat|sekretär(?:in)?|vorzimmer|assistante?(?: de direction)?|secrétaire|secretaria|asistente|segretari[ao]|assistente|secretaresse|procurement|einkauf|einkäufer(?:in)?|acheteur|acheteuse|compras)\b|秘書|秘书|助理|비서",
}
AUTHORITY_WORDS: dict[str, str] = {
    "decision_maker": r"\b(?:i (?:decide|make the (?:final )?(?:decision|call)|sign off|own the budget|approve)|my (?:decision|call|budget)|i['’]m the (?:decision[- ]maker|owner|founder|ceo)|ich entscheide|die entscheidung liegt bei mir|mein budget|c['’]est moi qui décide|je décide|yo decido|decido yo|la decisión es mía|decido io|sou eu quem decide|ik beslis|решаю я)\b|決裁者は私|我(?:来)?决定|제가 결정",
    "influencer": r"\b(?:i (?:will |can |could |would |need to )?(?:recommend|present|pitch|propose|take|bring|discuss|raise|run|talk)[^.?!\n]{0,30} (?:to|with|past|by) (?:my|our|the) (?:boss|manager|team|board|ceo|cto|cfo|director|management|leadership|head)|check with my (?:boss|manager|director|team)|(?:ich )?(?:bespreche|stelle|zeige|kläre|muss)[^.?!\n]{0,40} (?:chef\w*|vorgesetzt\w*|geschäftsführ\w+|vorstand|team|leitung)|j['’]en parle[^.?!\n]{0,20} (?:direction|directeur|directrice|patron|équipe)|lo (?:comento|hablo|consulto|presento)[^.?!\n]{0,20} (?:jef\w+|dirección|equipo)|ne parlo (?:con|al)|vou falar com|ik bespreek)\b|上司に(?:相談|確認)|向(?:领导|老板)(?:汇报|请示)|상사(?:와|에게) ?(?:상의|보고)",
    "user": r"\b(?:i(?:['’]m| am)? (?:just |only )?(?:use|using|a user|work with) (?:it|this|the tool|the system|your)|as a user|als (?:anwender|nutzer)(?:in)?|en tant qu['’]utilisat\w+|como usuari[oa])\b",
    "gatekeeper": r"\b(?:on behalf of|i (?:manage|handle|keep|look after) (?:the |his |her |their )?(?:calendar|diary|inbox|schedule)|(?:he|she|they|mr\.?|ms\.?|mrs\.?|dr\.?)(?: \w+)? (?:does not|doesn['’]?t|is not|isn['’]?t) (?:accept|take|interested|available)|im auftrag|i\. ?a\.|für (?:herrn|frau) [A-Z]\w+|(?:herr|frau) [A-Z]\w+ (?:hat|ist|wünscht|nimmt|bittet)|pour le compte de|de la part de|en nombre de|de parte de|per conto di|em nome de|namens)\b|の代理で|代表[^。]{0,6}回复",
}
